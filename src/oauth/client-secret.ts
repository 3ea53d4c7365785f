import { createHash } from 'node:crypto'

/** The hash that is stored of a client's secret: SHA-256 is enough for 256 random bits. */
export function hashClientSecret (secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
