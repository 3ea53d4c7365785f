import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { KeyRing } from '../tokens/derived-keys.ts'

/** How long a device is known after its last login, in seconds. */
export const DEVICE_LIFE = 180 * 86_400

/**
 * Writes and reads the cookie by which a browser shows that an account has logged in from it before. It opens nothing:
 * it only keeps its owner a place in the hash queue while strangers storm it.
 */
export interface DeviceCookies {
  write (userId: string): string
  /** @returns the account that logged in, `undefined` where the cookie is not ours or too old */
  read (cookie: string): string | undefined
}

/** @param clock milliseconds since 1970 */
export function createDeviceCookies (ring: KeyRing, clock: () => number = Date.now): DeviceCookies {
  const mac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest('base64url')

  return {
    write (userId) {
      const text = `${userId}.${Math.floor(clock() / 1000)}.${randomBytes(8).toString('base64url')}`
      return `${text}.${mac(ring[0].bytes, text)}`
    },

    read (cookie) {
      const end = cookie.lastIndexOf('.')
      const text = cookie.slice(0, Math.max(0, end))
      const [userId, since = ''] = text.split('.')
      const isOurs = ring.some(key => isEqual(mac(key.bytes, text), cookie.slice(end + 1)))
      return isOurs && Number(since) + DEVICE_LIFE > clock() / 1000 ? userId : undefined
    }
  }
}

function isEqual (expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}
