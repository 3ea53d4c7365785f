import { createHash, createPublicKey as createKeyObject, verify, type JsonWebKey, type KeyObject } from 'node:crypto'
import { findKeyWeakness } from './key-strength.ts'
import type { PublicJwk } from './types.ts'
import { encodeHeader, type VerificationKey } from './verification-key.ts'

/** The `alg` of tokens signed with an asymmetric key. */
export type AsymmetricAlgorithm = 'EdDSA' | 'ES256' | 'RS256'

interface Kind {
  readonly alg: AsymmetricAlgorithm
  /** The members that make up the key, in the order of its thumbprint (RFC 7638 §3.2). */
  readonly members: readonly string[]
  readonly digest: 'sha256' | null
}

const KINDS: Readonly<Record<string, Kind>> = {
  'OKP Ed25519': { alg: 'EdDSA', members: ['crv', 'kty', 'x'], digest: null },
  'EC P-256': { alg: 'ES256', members: ['crv', 'kty', 'x', 'y'], digest: 'sha256' },
  RSA: { alg: 'RS256', members: ['e', 'kty', 'n'], digest: 'sha256' }
}

// Bytes of an Ed25519 signature (RFC 8032 §5.1.6), and of an ES256 signature in a JWS (RFC 7518 §3.4).
const CURVE_SIGNATURE = 64

/**
 * A public key. The key decides the algorithm, never a token: `EdDSA` for Ed25519, `ES256` for P-256, `RS256` for RSA of
 * 2048 to 8192 bits.
 *
 * @param jwk without a `kid`, the key's thumbprint is used (RFC 7638)
 * @param audience the only `aud` that tokens signed with this key may have
 * @throws TypeError if `jwk` is another kind of key, is private, or is for another use
 */
export function createPublicKey (jwk: PublicJwk, audience: string): VerificationKey {
  const { alg, members, digest } = kindOf(jwk)
  checkPurpose(jwk, alg)
  // Only the members that make up the key: nothing else in the JWK may influence how Node imports it.
  const core = Object.fromEntries(members.map(member => [member, jwk[member]]))
  const key = readKey(core)
  const kid = jwk.kid ?? createHash('sha256').update(JSON.stringify(core)).digest('base64url')
  if (typeof kid !== 'string' || kid === '') throw new TypeError('The kid of a public key must be a non-empty string')

  const signatureBytes = Buffer.alloc(signatureSize(key))
  const signer = { key, dsaEncoding: 'ieee-p1363' } as const

  return {
    kid,
    alg,
    audience,
    header: encodeHeader(alg, kid),
    verify (token, length, signature) {
      // Node's decoder is lenient: only the canonical encoding of the bytes may pass.
      if (signatureBytes.write(signature, 'base64url') !== signatureBytes.length || signatureBytes.toString('base64url') !== signature) return false
      return verify(digest, Buffer.from(token.slice(0, length)), signer, signatureBytes)
    }
  }
}

function kindOf (jwk: unknown): Kind {
  if (typeof jwk !== 'object' || jwk === null) throw new TypeError('A public key must be a JWK')
  const { kty, crv } = jwk as Record<string, unknown>
  const name = kty === 'RSA' ? kty : `${String(kty)} ${String(crv)}`
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined
  if (kind === undefined) throw new TypeError('A public key must be an Ed25519, a P-256 or an RSA key')
  return kind
}

function checkPurpose (jwk: PublicJwk, alg: string): void {
  if (jwk.d !== undefined) throw new TypeError('A public key must not have a private part')
  if (jwk.alg !== undefined && jwk.alg !== alg) throw new TypeError(`A public key of this kind must be for ${alg}`)
  if (jwk.use !== undefined && jwk.use !== 'sig') throw new TypeError('A public key must be for signatures')
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes('verify'))) {
    throw new TypeError('A public key must be for verifying')
  }
}

function readKey (jwk: JsonWebKey): KeyObject {
  let key
  try {
    key = createKeyObject({ key: jwk, format: 'jwk' })
  } catch (cause) {
    throw new TypeError('A public key must be a valid JWK', { cause })
  }
  const weakness = findKeyWeakness(key)
  if (weakness !== undefined) throw new TypeError(`A public key must not be ${weakness}`)
  return key
}

function signatureSize (key: KeyObject): number {
  const { modulusLength } = key.asymmetricKeyDetails ?? {}
  return modulusLength === undefined ? CURVE_SIGNATURE : Math.ceil(modulusLength / 8)
}
