import { createHash, randomBytes } from 'node:crypto'

/** The secret of a stateful session: its cookie contains it, and its hash is stored. */
export interface SessionSecret {
  /** 256 random bits, base64url. */
  text: string
  hash: Buffer
}

const FORM = /^[A-Za-z0-9_-]{43}$/

export function createSessionSecret (): SessionSecret {
  const text = randomBytes(32).toString('base64url')
  return { text, hash: hashOf(text) }
}

/** @returns the secret in a cookie, `undefined` where it has the wrong form */
export function readSessionSecret (cookie: string): SessionSecret | undefined {
  return FORM.test(cookie) ? { text: cookie, hash: hashOf(cookie) } : undefined
}

// SHA-256 suffices: 256 random bits cannot be guessed.
function hashOf (text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
