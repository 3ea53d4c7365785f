import { createPublicKey as createKeyObject } from 'node:crypto'
import { createHmacKey, createPublicKey, type PublicJwk, type VerificationKey } from 'countersign-verifier/internal'
import type { Config } from '../config.ts'
import type { PrivateKey } from '../config/private-keys.ts'
import type { SigningKey } from './jwt-signer.ts'

/** The keys of the service's own audience. */
export interface ServiceKeys {
  readonly signing: SigningKey
  /** Both rings, shared secrets and key pairs, whichever signs. */
  readonly verifying: readonly VerificationKey[]
  /** The public keys of the JWKS (RFC 7517). Never a shared secret. */
  readonly published: readonly PublicJwk[]
}

export function createServiceKeys ({ algorithm, jwtSecrets, privateKeys, issuer, audience }: Pick<Config, 'algorithm' | 'jwtSecrets' | 'privateKeys' | 'issuer' | 'audience'>): ServiceKeys {
  const shared = jwtSecrets.map(secret => createHmacKey(secret, issuer, audience))
  const pairs = privateKeys.map(({ jwk }) => createPublicKey(jwk, audience))
  return {
    signing: algorithm === 'HS256' ? signingSecret(jwtSecrets, shared) : signingPair(privateKeys, pairs),
    verifying: [...shared, ...pairs],
    published: privateKeys.flatMap(({ jwk, algorithm }, index) => {
      const { kid } = pairs[index] ?? {}
      return kid === undefined ? [] : [{ ...jwk, kid, alg: algorithm, use: 'sig' }]
    })
  }
}

function signingSecret ([secret]: readonly string[], [key]: readonly VerificationKey[]): SigningKey {
  if (secret === undefined || key === undefined) throw new Error('JWT_SECRET holds no secret')
  return { alg: 'HS256', kid: key.kid, secret }
}

function signingPair ([pair]: readonly PrivateKey[], [key]: readonly VerificationKey[]): SigningKey {
  if (pair === undefined || key === undefined) throw new Error('JWT_PRIVATE_KEY holds no key')
  const publicPem = createKeyObject(pair.pem).export({ format: 'pem', type: 'spki' }).toString()
  return { alg: pair.algorithm, kid: key.kid, secret: { private: pair.pem, public: publicPem } }
}
