import { timingSafeEqual } from 'node:crypto'
import { createHmacSha256 } from 'countersign-verifier/internal'
import { createRandomPool } from './random-pool.ts'

const HALF = 16
const ENCODED = 43
const LEAD = ',"jti":"'
const TAIL = '"}'
const MEMBER = LEAD.length + ENCODED + TAIL.length

/**
 * The seal shows that this service made a token, and not just somebody who holds the shared `JWT_SECRET`.
 *
 * It is the second half of the `jti`: a MAC, under a key that never leaves the service, over the payload as it is
 * written up to the `jti` (which stands last) and over the `jti`'s first, random half. Taking the payload as it is
 * written leaves no claim out, however many there come to be.
 */
export interface Seal {
  /** The payload's JSON text without a `jti` -> the `jti` that seals it. */
  create (payload: string): string
  /** Whether the payload's JSON text carries this service's seal. */
  isSealed (payload: string): boolean
}

/** @param keys the seal keys, the current one first: all are accepted */
export function createSeal (keys: readonly Uint8Array[]): Seal {
  const macs = keys.map(createHmacSha256)
  const [current] = macs
  if (current === undefined) throw new Error('A seal needs a key')

  const randomBytes = createRandomPool(HALF)
  const jti = Buffer.alloc(HALF * 2)
  const expected = Buffer.alloc(HALF)
  const claimed = jti.subarray(HALF)

  return {
    create (payload) {
      const random = randomBytes()
      const mac = Buffer.from(current.digest(payload.slice(0, -1) + random.toString('base64url')), 'base64url')
      return Buffer.concat([random, mac.subarray(0, HALF)]).toString('base64url')
    },

    isSealed (payload) {
      const start = payload.length - MEMBER
      if (start < 0 || !payload.startsWith(LEAD, start) || !payload.endsWith(TAIL)) return false
      const written = payload.slice(start + LEAD.length, -TAIL.length)
      // Node's decoder is lenient: of all spellings of these bytes only the canonical one may pass.
      if (jti.write(written, 'base64url') !== jti.length || jti.toString('base64url') !== written) return false
      const sealed = payload.slice(0, start) + jti.toString('base64url', 0, HALF)
      return macs.some(mac => {
        expected.write(mac.digest(sealed), 'base64url')
        return timingSafeEqual(expected, claimed)
      })
    }
  }
}
