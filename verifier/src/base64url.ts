import { isUtf8 } from 'node:buffer'
import { refuse } from './errors.ts'
import { MAX_TOKEN_BYTES } from './limits.ts'

const scratch = Buffer.alloc(MAX_TOKEN_BYTES)
const LAST_OF_TWO = 'AQgw'
const LAST_OF_THREE = 'AEIMQUYcgkosw048'

/**
 * Decodes one part of a token strictly: RFC 4648 §5 without padding, no other character, no spare bit set (RFC 7515 §2), and UTF-8.
 * So there is only one encoding of a token.
 *
 * @throws InvalidToken `malformed`
 */
export function decodePart (part: string): string {
  const rest = part.length & 3
  if (part === '' || rest === 1 || part.length > MAX_TOKEN_BYTES) refuse('malformed')
  if (rest === 2 && !LAST_OF_TWO.includes(part.charAt(part.length - 1))) refuse('malformed')
  if (rest === 3 && !LAST_OF_THREE.includes(part.charAt(part.length - 1))) refuse('malformed')
  // Node's decoder skips unknown characters, accepts the other alphabet too, and uses only the lower eight bits of a
  // character.
  if (part.includes('+') || part.includes('/') || Buffer.byteLength(part) !== part.length) refuse('malformed')
  const length = scratch.write(part, 0, 'base64url')
  if (length !== (part.length * 3) >> 2) refuse('malformed')
  const text = scratch.toString('utf8', 0, length)
  // RFC 7519 §7.2 asks for UTF-8, where the decoder puts this character for what is none.
  if (text.includes('\ufffd') && !isUtf8(scratch.subarray(0, length))) refuse('malformed')
  return text
}

/** @throws InvalidToken `malformed` */
export function decodeJson (part: string): unknown {
  const text = decodePart(part)
  try {
    return JSON.parse(text)
  } catch {
    refuse('malformed')
  }
}
