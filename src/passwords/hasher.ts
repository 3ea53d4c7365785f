import { randomBytes } from 'node:crypto'
import argon2 from 'argon2'
import { createDecoy, readArgon2id, SALT_BYTES, TAG_BYTES } from './argon2id-hash.ts'
import type { Argon2idCost } from './argon2id-hash.ts'
import { createHashCostLimit } from './hash-cost-limit.ts'
import type { HashQueue, QueueTicket } from './hash-queue.ts'

/** Hashes passwords and verifies them, each in its place of the hash queue, whose errors it passes on. */
export interface PasswordHasher {
  /**
   * @returns argon2id as a PHC string, with a fresh 16-byte salt and a 32-byte tag
   * @throws {TypeError} if the password has a lone surrogate, which the policy refuses
   */
  hash (password: string, place: QueueTicket): Promise<string>
  /**
   * Whether the password is the one that was hashed. Without a hash, or with one that cannot be read or costs beyond
   * all measure, it is not, and finding that out costs what a hash of the current cost does.
   */
  verify (stored: string | null | undefined, password: string, place: QueueTicket): Promise<boolean>
  /** Whether a stored hash is of another format or cost than `hash` makes now, and so due for a new one. */
  isStale (stored: string): boolean
}

export interface PasswordHasherOptions extends Argon2idCost {
  queue: HashQueue
}

export function createPasswordHasher (options: PasswordHasherOptions): PasswordHasher {
  const { memoryKiB, iterations, parallelism, queue } = options
  const cost = { type: argon2.argon2id, memoryCost: memoryKiB, timeCost: iterations, parallelism, hashLength: TAG_BYTES }
  const isBearable = createHashCostLimit({ memoryKiB, iterations, parallelism })
  const decoy = createDecoy({ memoryKiB, iterations, parallelism })

  function isVerifiable (stored: string): boolean {
    const hash = readArgon2id(stored)
    return hash !== undefined && isBearable(hash)
  }

  return {
    async hash (password, place) {
      if (!password.isWellFormed()) throw new TypeError('A password with a lone surrogate cannot be hashed')
      return queue.run(() => argon2.hash(password, { ...cost, salt: randomBytes(SALT_BYTES) }), place)
    },

    async verify (stored, password, place) {
      const target = stored && password.isWellFormed() && isVerifiable(stored) ? stored : decoy
      const matches = await queue.run(() => argon2.verify(target, password), place)
      return matches && target !== decoy
    },

    isStale (stored) {
      const hash = readArgon2id(stored)
      return hash?.memoryKiB !== memoryKiB || hash.iterations !== iterations || hash.parallelism !== parallelism ||
        hash.saltBytes !== SALT_BYTES || hash.tagBytes !== TAG_BYTES
    }
  }
}
