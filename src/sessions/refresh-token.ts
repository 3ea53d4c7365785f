import { Problem } from '../errors.ts'
import type { KeyRing } from '../tokens/derived-keys.ts'
import { createSignedText } from '../tokens/signed-text.ts'

/** How long the previous token still gets the same successor, in seconds. */
export const REPEAT_WINDOW = 30

/** The content of a refresh token whose MAC is valid. Whether the session's row agrees is still open. */
export interface RefreshTokenContent {
  sessionId: string
  generation: number
  /** 128 random bits, also stored in the session's row. */
  nonce: Buffer
}

export type RefreshTokens = ReturnType<typeof createRefreshTokens>

const FORM = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.(0|[1-9][0-9]{0,8})\.([A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{43}$/

/** Writes and reads refresh tokens: `<session id>.<generation>.<nonce>.<mac>`. */
export function createRefreshTokens (ring: KeyRing) {
  const { sign, open } = createSignedText(ring)

  return {
    write: ({ sessionId, generation, nonce }: RefreshTokenContent) => sign(`${sessionId}.${generation}.${nonce.toString('base64url')}`),

    /** Checks the MAC with every key of the ring, in constant time. @throws Problem 401 */
    read (token: string): RefreshTokenContent {
      const match = FORM.exec(token)
      if (match === null || open(token) === undefined) throw new Problem('invalid_refresh_token')
      const [, sessionId = '', generation, nonce = ''] = match
      return { sessionId, generation: Number(generation), nonce: Buffer.from(nonce, 'base64url') }
    }
  }
}
