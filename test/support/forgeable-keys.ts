import { createHash, type JsonWebKey } from 'node:crypto'
import { rsaKeyPair } from './rsa-keys.ts'

/** A public key for which anybody can sign. */
export interface ForgeableKey {
  readonly alg: 'RS256' | 'EdDSA'
  readonly jwk: JsonWebKey
  /** Signs a token with nothing but the public key. */
  forge (header: Readonly<Record<string, unknown>>, claims: Readonly<Record<string, unknown>>): string
}

// RFC 8017 §9.2: the digest of SHA-256 in an EMSA-PKCS1-v1_5 encoding.
const DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex')
const MODULUS_BYTES = 256

export function forgeableKeys (): Record<'an RSA key with e = 1' | 'an Ed25519 key that is the identity', ForgeableKey> {
  return {
    // m^1 = m: the encoded message is its own signature.
    'an RSA key with e = 1': {
      alg: 'RS256',
      jwk: rsaJwk('AQ'),
      forge: (header, claims) => join(header, claims, encodeMessage)
    },
    // S·B = R + k·A holds for every message where A and R are the identity and S is 0.
    'an Ed25519 key that is the identity': {
      alg: 'EdDSA',
      jwk: { kty: 'OKP', crv: 'Ed25519', x: Buffer.alloc(32).fill(1, 0, 1).toString('base64url') },
      forge: (header, claims) => join(header, claims, () => Buffer.alloc(64).fill(1, 0, 1))
    }
  }
}

/** An RSA key with another exponent. */
export function rsaJwk (e: string): JsonWebKey {
  return { ...rsaKeyPair().publicKey.export({ format: 'jwk' }), e }
}

function join (header: object, claims: object, signatureOf: (input: string) => Buffer): string {
  const input = [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${input}.${signatureOf(input).toString('base64url')}`
}

function encodeMessage (input: string): Buffer {
  const digest = createHash('sha256').update(input).digest()
  const padding = Buffer.alloc(MODULUS_BYTES - 3 - DIGEST_INFO.length - digest.length, 0xff)
  return Buffer.concat([Buffer.from([0, 1]), padding, Buffer.from([0]), DIGEST_INFO, digest])
}
