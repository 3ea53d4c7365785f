import { createHmacSha256 } from 'countersign-verifier/core'
import { Problem } from '../errors.ts'
import type { KeyRing } from '../tokens/derived-keys.ts'

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

const FORM = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.(0|[1-9][0-9]{0,8})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/

export function createRefreshTokens (ring: KeyRing): RefreshTokens {
  const current = createHmacSha256(ring[0].bytes)
  const macs = ring.map(({ bytes }) => createHmacSha256(bytes))

  return {
    write ({ sessionId, generation, nonce }) {
      const text = `${sessionId}.${generation}.${nonce.toString('base64url')}`
      return `${text}.${current.digest(text)}`
    },

    read (token) {
      const match = FORM.exec(token)
      if (match === null) throw new Problem('invalid_refresh_token')
      const [, sessionId = '', generation, nonce = '', mac = ''] = match
      const end = token.length - mac.length - 1
      // All of them, whichever it is: how long that takes tells nothing.
      const isOurs = macs.filter(({ matches }) => matches(token, end, mac)).length > 0
      if (!isOurs) throw new Problem('invalid_refresh_token')
      return { sessionId, generation: Number(generation), nonce: Buffer.from(nonce, 'base64url') }
    }
  }
}
