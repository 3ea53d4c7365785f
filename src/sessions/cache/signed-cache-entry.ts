import { createHmac, timingSafeEqual } from 'node:crypto'
import type { KeyRing } from '../../tokens/derived-keys.ts'

/** Cached sessions as `<mac>.<json>`: with write access to the cache alone, nobody can log in. */
export function createSignedCacheEntry (ring: KeyRing) {
  const mac = (key: Buffer, secretHash: Buffer, json: string) => createHmac('sha256', key).update(secretHash).update(json).digest()

  return {
    /** @param secretHash the session's: the entry is valid for no other */
    write: (secretHash: Buffer, json: string) => `${mac(ring[0].bytes, secretHash, json).toString('base64url')}.${json}`,

    /** @returns `undefined` where the MAC is invalid */
    read (secretHash: Buffer, entry: string): string | undefined {
      const end = entry.indexOf('.')
      const json = entry.slice(end + 1)
      const actual = Buffer.from(entry.slice(0, Math.max(0, end)), 'base64url')
      const isValid = ring.some(key => {
        const expected = mac(key.bytes, secretHash, json)
        return expected.length === actual.length && timingSafeEqual(expected, actual)
      })
      return isValid ? json : undefined
    }
  }
}
