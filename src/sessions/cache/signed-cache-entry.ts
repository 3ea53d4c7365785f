import { createHmac, timingSafeEqual } from 'node:crypto'
import type { KeyRing } from '../../tokens/derived-keys.ts'

/** Writes and reads copies of sessions as `<mac>.<json>`: whoever can write where they are kept can let nobody in. */
export interface SignedCacheEntry {
  /** @param secretHash whose session it is: the copy is good for no other */
  write (secretHash: Buffer, json: string): string
  /** @returns `undefined` where the copy is not ours */
  read (secretHash: Buffer, copy: string): string | undefined
}

export function createSignedCacheEntry (ring: KeyRing): SignedCacheEntry {
  const mac = (key: Buffer, secretHash: Buffer, json: string) => createHmac('sha256', key).update(secretHash).update(json).digest()

  return {
    write: (secretHash, json) => `${mac(ring[0].bytes, secretHash, json).toString('base64url')}.${json}`,

    read (secretHash, copy) {
      const end = copy.indexOf('.')
      const json = copy.slice(end + 1)
      const claimed = Buffer.from(copy.slice(0, Math.max(0, end)), 'base64url')
      const isOurs = ring.some(key => {
        const expected = mac(key.bytes, secretHash, json)
        return expected.length === claimed.length && timingSafeEqual(expected, claimed)
      })
      return isOurs ? json : undefined
    }
  }
}
