import { createHmacSha256 } from 'countersign-verifier/internal'
import type { KeyRing } from './derived-keys.ts'

/** Appends a MAC to texts with the current key of a ring, and verifies texts signed with any of its keys. */
export interface SignedText {
  /** @returns `<text>.<mac>` */
  sign (text: string): string
  /** @returns the text before the last dot, or `undefined` if the MAC after it is wrong; in constant time */
  open (signed: string): string | undefined
}

export function createSignedText (ring: KeyRing): SignedText {
  const current = createHmacSha256(ring[0].bytes)
  const macs = [current, ...ring.slice(1).map(({ bytes }) => createHmacSha256(bytes))]

  return {
    sign: text => `${text}.${current.digest(text)}`,
    open (signed) {
      const end = signed.lastIndexOf('.')
      if (end === -1) return undefined
      const mac = signed.slice(end + 1)
      // Compares with every key, so that the time does not reveal which one matched.
      const isSigned = macs.filter(({ matches }) => matches(signed, end, mac)).length > 0
      return isSigned ? signed.slice(0, end) : undefined
    }
  }
}
