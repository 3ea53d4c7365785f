import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { findKeyWeakness, type AsymmetricAlgorithm, type PublicJwk } from 'countersign-verifier/internal'
import type { Parse } from './parsers.ts'

/** A private key that access tokens are signed with. */
export interface PrivateKey {
  /** The algorithm it signs with. */
  readonly algorithm: AsymmetricAlgorithm
  /** PKCS#8 (RFC 5958). */
  readonly pem: string
  /** The public key. */
  readonly jwk: PublicJwk
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g

/** Private keys, one PEM after the other. Line ends may be written as `\n`, for variables that hold one line. */
export const privateKeyRing: Parse<PrivateKey[], string | readonly string[]> = text => {
  const pem = text.replaceAll('\\r', '').replaceAll('\\n', '\n')
  const keys = [...pem.matchAll(BLOCK)].map(([block, label = '']) => readKey(block, label))
  if (keys.length === 0 || /[^\s,]/.test(pem.replaceAll(BLOCK, ''))) throw new RangeError('must be a private key in PEM (PKCS#8), or several')
  if (new Set(keys.map(({ jwk }) => JSON.stringify(jwk))).size < keys.length) throw new RangeError('holds the same key twice')
  return keys
}

function readKey (pem: string, label: string): PrivateKey {
  if (label.endsWith('PUBLIC KEY') || label === 'CERTIFICATE') throw new RangeError('holds a public key; private ones are needed')
  if (label === 'ENCRYPTED PRIVATE KEY') throw new RangeError('holds an encrypted key; it must be given without a passphrase')
  if (label !== 'PRIVATE KEY') throw new RangeError('must be in PKCS#8: convert it with openssl pkcs8 -topk8 -nocrypt')
  const key = decode(pem)
  const algorithm = algorithmOf(key)
  const weakness = findKeyWeakness(key)
  if (weakness !== undefined) throw new RangeError(`holds ${weakness}`)
  return { algorithm, pem: key.export({ format: 'pem', type: 'pkcs8' }).toString(), jwk: createPublicKey(key).export({ format: 'jwk' }) as PublicJwk }
}

function decode (pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    // The cause could contain the key.
    throw new RangeError('holds a private key that cannot be read')
  }
}

function algorithmOf ({ asymmetricKeyType, asymmetricKeyDetails: { namedCurve } = {} }: KeyObject): AsymmetricAlgorithm {
  if (asymmetricKeyType === 'ed25519') return 'EdDSA'
  if (asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ES256'
  if (asymmetricKeyType !== 'rsa') throw new RangeError('must hold Ed25519 keys (EdDSA), P-256 keys (ES256) or RSA keys (RS256)')
  return 'RS256'
}
