import fastifyJwt, { type JWT } from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import type { AccessTokenClaims } from 'countersign-verifier/core'

/** Signs claims as a compact JWS. */
export type Sign = (claims: AccessTokenClaims) => string

const NAMESPACE = 'countersign'

/**
 * Signs HS256 tokens through @fastify/jwt, under a namespace of its own, so that it stands beside a host's own
 * registration of that plugin.
 */
export async function registerJwtSigner (app: FastifyInstance, { secret, kid }: { secret: string, kid: string }): Promise<Sign> {
  let signer: JWT | undefined
  await app.register(async child => {
    // The namespace is written into `app.jwt`, which would be the host's: this instance gets one of its own.
    child.decorate('jwt', Object.create(null))
    await child.register(fastifyJwt, {
      namespace: NAMESPACE,
      secret,
      // fast-jwt copies `typ` and `kid` into the protected header.
      sign: { algorithm: 'HS256', kid, header: { alg: 'HS256', typ: 'at+jwt' } }
    })
    signer = (child.jwt as JWT & Record<string, JWT | undefined>)[NAMESPACE]
  })
  const { sign } = signer ?? missing()
  return claims => sign(claims)
}

function missing (): never {
  throw new Error('@fastify/jwt did not register its namespace')
}
