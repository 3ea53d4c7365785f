import fastifyJwt, { type JWT } from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import type { AccessTokenClaims, AsymmetricAlgorithm, ClientTokenClaims } from 'countersign-verifier/internal'

/** A key that signs: a shared secret, or a key pair in PEM. */
export type SigningKey = { readonly kid: string } & (
  | { readonly alg: 'HS256', readonly secret: string }
  | { readonly alg: AsymmetricAlgorithm, readonly secret: { readonly private: string, readonly public: string } }
)

/** Signs claims as a compact JWS. */
export type Sign = (claims: AccessTokenClaims | ClientTokenClaims) => string

/** Signs with the service's own key, or with the key of another audience. */
export interface JwtSigner {
  sign: Sign
  /** @returns a function that signs with another HS256 key */
  withSecret (key: { kid: string, secret: string }): Sign
}

const NAMESPACE = 'countersign'

/**
 * Signs tokens with @fastify/jwt, in a separate namespace, so that it does not conflict with a host's own registration of
 * that plugin.
 */
export async function registerJwtSigner (app: FastifyInstance, { alg, kid, secret }: SigningKey): Promise<JwtSigner> {
  let signer: JWT | undefined
  await app.register(async child => {
    // @fastify/jwt writes its namespace into `app.jwt`, which may be the host's: this instance gets a separate object.
    child.decorate('jwt', Object.create(null))
    await child.register(fastifyJwt, { namespace: NAMESPACE, secret, sign: signOptions(alg, kid) })
    signer = (child.jwt as JWT & Record<string, JWT | undefined>)[NAMESPACE]
  })
  const { sign } = signer ?? missing()
  return {
    sign: claims => sign(claims),
    withSecret: ({ kid, secret }) => claims => sign(claims, { ...signOptions('HS256', kid), key: secret })
  }
}

// fast-jwt copies `typ` and `kid` into the protected header.
function signOptions (alg: SigningKey['alg'], kid: string) {
  return { algorithm: alg, kid, header: { alg, typ: 'at+jwt' } }
}

function missing (): never {
  throw new Error('@fastify/jwt did not register its namespace')
}
