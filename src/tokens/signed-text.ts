import { createHmacSha256 } from 'countersign-verifier/internal'
import type { KeyRing } from './derived-keys.ts'

/** Puts a MAC behind texts, under the current key of a ring, and knows again what any of its keys has signed. */
export interface SignedText {
  /** @returns `<text>.<mac>` */
  sign (text: string): string
  /** @returns the text before the last dot, `undefined` where what follows is no MAC of it; in constant time */
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
      // All of them, whichever it is: how long that takes tells nothing.
      const isOurs = macs.filter(({ matches }) => matches(signed, end, mac)).length > 0
      return isOurs ? signed.slice(0, end) : undefined
    }
  }
}
