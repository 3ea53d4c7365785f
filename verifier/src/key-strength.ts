import { createPublicKey, type KeyObject } from 'node:crypto'

const MIN_MODULUS_BITS = 2048
// The time of a verification grows with its square.
const MAX_MODULUS_BITS = 8192

// FIPS 186-5 §A.1.1: odd, and more than 2^16. With 1, every message is its own signature. Many libraries take no more than 32 bits.
const MIN_EXPONENT = 65_537n
const MAX_EXPONENT = 0xffff_ffffn

// Points of a small order as keys are written (RFC 8032 §5.1.2), without the sign. One signature is valid for every message, or
// for one in eight, and needs no private key: RFC 8032 §5.1.7 does not exclude them.
const SMALL_ORDER_POINTS = [
  '01'.padEnd(64, '0'),
  '00'.padEnd(64, '0'),
  `${'ec'.padEnd(62, 'f')}7f`,
  `${'ed'.padEnd(62, 'f')}7f`,
  `${'ee'.padEnd(62, 'f')}7f`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'
]

/**
 * @param key public or private
 * @returns what is wrong with a key whose signatures can be forged, or take too long to verify; `undefined` for any other
 */
export function findKeyWeakness (key: KeyObject): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0, publicExponent = 0n } = {} } = key
  if (type === 'ed25519') return hasSmallOrder(key) ? 'an Ed25519 key of a small order' : undefined
  if (type !== 'rsa' && type !== 'rsa-pss') return undefined
  if (modulusLength < MIN_MODULUS_BITS) return `an RSA key of fewer than ${MIN_MODULUS_BITS} bits`
  if (modulusLength > MAX_MODULUS_BITS) return `an RSA key of more than ${MAX_MODULUS_BITS} bits`
  if (publicExponent % 2n === 0n || publicExponent < MIN_EXPONENT || publicExponent > MAX_EXPONENT) {
    return `an RSA key whose public exponent is not an odd number from ${MIN_EXPONENT} to ${MAX_EXPONENT}`
  }
  return undefined
}

function hasSmallOrder (key: KeyObject): boolean {
  const { x = '' } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' })
  const point = Buffer.from(x, 'base64url')
  point.writeUInt8(point.readUInt8(31) & 0x7f, 31)
  return SMALL_ORDER_POINTS.includes(point.toString('hex'))
}
