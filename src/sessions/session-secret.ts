import { createHash, randomBytes } from 'node:crypto'

/** The secret of a stateful session: what its cookie holds, and what is kept of it. */
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

/** @returns the secret that a cookie holds, `undefined` where it cannot be one of ours */
export function readSessionSecret (cookie: string): SessionSecret | undefined {
  return FORM.test(cookie) ? { text: cookie, hash: hashOf(cookie) } : undefined
}

// SHA-256 suffices: there is nothing to guess in 256 random bits.
function hashOf (text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
