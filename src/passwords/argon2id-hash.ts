import { randomBytes } from 'node:crypto'

/** The cost of one argon2id hash (RFC 9106 §3.1). */
export interface Argon2idCost {
  memoryKiB: number
  iterations: number
  parallelism: number
}

/** The parameters of a stored argon2id hash. */
export interface Argon2idHash extends Argon2idCost {
  saltBytes: number
  tagBytes: number
}

export const SALT_BYTES = 16
export const TAG_BYTES = 32

const PHC = /^\$argon2id\$v=19\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,7})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

/** Parses a PHC string of argon2id, version 1.3, salt of 8 to 64 bytes, tag of 16 to 64; `undefined` for anything else. */
export function readArgon2id (stored: string): Argon2idHash | undefined {
  const match = PHC.exec(stored)
  if (!match) return undefined
  const [, memoryKiB, iterations, parallelism, salt = '', tag = ''] = match
  return {
    memoryKiB: Number(memoryKiB),
    iterations: Number(iterations),
    parallelism: Number(parallelism),
    saltBytes: Buffer.byteLength(salt, 'base64'),
    tagBytes: Buffer.byteLength(tag, 'base64')
  }
}

/** @returns a hash that no password has, to verify against at the given cost. Making it costs nothing. */
export function createDecoy ({ memoryKiB, iterations, parallelism }: Argon2idCost): string {
  const cost = `m=${memoryKiB},t=${iterations},p=${parallelism}`
  return `$argon2id$v=19$${cost}$${unpadded(randomBytes(SALT_BYTES))}$${unpadded(randomBytes(TAG_BYTES))}`
}

/**
 * What verifying against a cheaper hash leaves of the current cost. The work is in proportion to memory × iterations, at the
 * current number of lanes; in as much memory as may be, for less of it fits into a cache and is faster.
 *
 * @returns `undefined` where the hash costs as much, or more, or what is left is less than the least that argon2 takes
 */
export function restOfCost (current: Argon2idCost, cheaper: Argon2idCost): Argon2idCost | undefined {
  const { parallelism } = current
  const work = current.memoryKiB * current.iterations - cheaper.memoryKiB * cheaper.iterations
  const least = 8 * parallelism
  if (work < least) return undefined
  const iterations = Math.min(Math.ceil(work / current.memoryKiB), Math.floor(work / least))
  return { memoryKiB: Math.round(work / iterations), iterations, parallelism }
}

function unpadded (bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
