import { timingSafeEqual } from 'node:crypto'
import { createHmacSha256 } from 'countersign-verifier/internal'
import { createRandomPool } from './random-pool.ts'

const HALF = 16
const ENCODED = 43
const LEAD = ',"jti":"'
const TAIL = '"}'
const MEMBER = LEAD.length + ENCODED + TAIL.length

/**
 * The seal proves that this service issued a token, and not somebody else who holds the shared `JWT_SECRET`.
 *
 * It is the second half of the `jti`: a MAC, with a key that never leaves the service, over the serialized payload before
 * the `jti` (its last member) and the first, random half of the `jti`. Because it covers the serialized payload, it covers
 * every claim, also those added later.
 */
export interface Seal {
  /** @param payload JSON without a `jti` @returns the `jti` that seals it */
  create (payload: string): string
  /** Whether a payload's JSON has this service's seal. */
  isSealed (payload: string): boolean
}

/** @param keys the current one first; seals of all keys are accepted */
export function createSeal (keys: readonly Uint8Array[]): Seal {
  const macs = keys.map(createHmacSha256)
  const [current] = macs
  if (current === undefined) throw new Error('A seal needs a key')

  const randomBytes = createRandomPool(HALF)
  const jti = Buffer.alloc(HALF * 2)
  const expected = Buffer.alloc(HALF)
  const actual = jti.subarray(HALF)

  return {
    create (payload) {
      jti.set(randomBytes())
      // More than fits: the first half of the MAC is what is written.
      actual.write(current.digest(payload.slice(0, -1) + jti.toString('base64url', 0, HALF)), 'base64url')
      return jti.toString('base64url')
    },

    isSealed (payload) {
      const start = payload.length - MEMBER
      if (start < 0 || !payload.startsWith(LEAD, start) || !payload.endsWith(TAIL)) return false
      const encoded = payload.slice(start + LEAD.length, -TAIL.length)
      // Node's decoder is lenient: only the canonical encoding of the bytes may pass.
      if (jti.write(encoded, 'base64url') !== jti.length || jti.toString('base64url') !== encoded) return false
      const sealed = payload.slice(0, start) + jti.toString('base64url', 0, HALF)
      return macs.some(mac => {
        expected.write(mac.digest(sealed), 'base64url')
        return timingSafeEqual(expected, actual)
      })
    }
  }
}
