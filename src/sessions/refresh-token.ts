import { Problem } from '../errors.ts'
import type { KeyRing } from '../tokens/derived-keys.ts'
import { createSignedText } from '../tokens/signed-text.ts'

/** What a refresh token says, once its MAC was found good. The session's row has yet to agree. */
export interface RefreshTokenContent {
  sessionId: string
  generation: number
  /** 128 random bits that the session's row holds. */
  nonce: Buffer
}

/** Writes and reads refresh tokens: `<session id>.<generation>.<nonce>.<mac>`. */
export interface RefreshTokens {
  write (content: RefreshTokenContent): string
  /** Checks the MAC against every key of the ring, in constant time, before anything else is believed. @throws Problem 401 */
  read (token: string): RefreshTokenContent
}

const FORM = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.(0|[1-9][0-9]{0,8})\.([A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{43}$/

export function createRefreshTokens (ring: KeyRing): RefreshTokens {
  const { sign, open } = createSignedText(ring)

  return {
    write: ({ sessionId, generation, nonce }) => sign(`${sessionId}.${generation}.${nonce.toString('base64url')}`),

    read (token) {
      const match = FORM.exec(token)
      if (match === null || open(token) === undefined) throw new Problem('invalid_refresh_token')
      const [, sessionId = '', generation, nonce = ''] = match
      return { sessionId, generation: Number(generation), nonce: Buffer.from(nonce, 'base64url') }
    }
  }
}
