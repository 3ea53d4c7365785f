import { createHash, createPublicKey as createKeyObject, verify, type JsonWebKey, type KeyObject } from 'node:crypto'
import { encodeHeader, type VerificationKey } from './verification-key.ts'

/** A public key as RFC 7517 writes it: an OKP key on Ed25519, an EC key on P-256, or an RSA key. */
export interface PublicJwk {
  readonly kty: string
  readonly kid?: string
  readonly alg?: string
  readonly use?: string
  readonly key_ops?: readonly string[]
  readonly [member: string]: unknown
}

/** What tokens signed with an asymmetric key say in `alg`. */
export type AsymmetricAlgorithm = 'EdDSA' | 'ES256' | 'RS256'

interface Kind {
  readonly alg: AsymmetricAlgorithm
  /** The members that make the key, in the order of its thumbprint (RFC 7638 §3.2). */
  readonly members: readonly string[]
  readonly digest: 'sha256' | null
}

const KINDS: Readonly<Record<string, Kind>> = {
  'OKP Ed25519': { alg: 'EdDSA', members: ['crv', 'kty', 'x'], digest: null },
  'EC P-256': { alg: 'ES256', members: ['crv', 'kty', 'x', 'y'], digest: 'sha256' },
  RSA: { alg: 'RS256', members: ['e', 'kty', 'n'], digest: 'sha256' }
}

const SHORTEST_MODULUS = 2048
// Of Ed25519 (RFC 8032 §5.1.6), and of ES256 as a JWS has it (RFC 7518 §3.4), in bytes.
const CURVE_SIGNATURE = 64

/**
 * A key that verifies what an asymmetric key signed. Its algorithm is what the key is fit for, never what a token says:
 * `EdDSA` for Ed25519, `ES256` for P-256, `RS256` for RSA of 2048 bits or more.
 *
 * @param jwk its `kid` is taken as it is given, and is the key's thumbprint where none is (RFC 7638)
 * @param audience the only `aud` that tokens under this key may have
 * @throws TypeError where `jwk` is no such key, is private, or is meant for something else
 */
export function createPublicKey (jwk: PublicJwk, audience: string): VerificationKey {
  const { alg, members, digest } = kindOf(jwk)
  checkPurpose(jwk, alg)
  // Only what makes the key is looked at: nothing else in the JWK decides how node reads it.
  const core = Object.fromEntries(members.map(member => [member, jwk[member]]))
  const key = readKey(core)
  const kid = jwk.kid ?? createHash('sha256').update(JSON.stringify(core)).digest('base64url')
  if (typeof kid !== 'string' || kid === '') throw new TypeError('The kid of a public key must be text')

  const signatureBytes = Buffer.alloc(signatureSize(key))
  const signer = { key, dsaEncoding: 'ieee-p1363' } as const

  return {
    kid,
    alg,
    audience,
    header: encodeHeader(alg, kid),
    verify (token, length, signature) {
      // Node's decoder is lenient: of all spellings of these bytes only the canonical one may pass.
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
  if (jwk.d !== undefined) throw new TypeError('A public key must have no private part')
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
  const { modulusLength } = key.asymmetricKeyDetails ?? {}
  if (modulusLength !== undefined && modulusLength < SHORTEST_MODULUS) {
    throw new TypeError(`An RSA key must have at least ${SHORTEST_MODULUS} bits`)
  }
  return key
}

function signatureSize (key: KeyObject): number {
  const { modulusLength } = key.asymmetricKeyDetails ?? {}
  return modulusLength === undefined ? CURVE_SIGNATURE : Math.ceil(modulusLength / 8)
}
