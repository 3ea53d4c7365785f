import { randomBytes } from 'node:crypto'
import argon2 from 'argon2'
import { createDecoy, readArgon2id, SALT_BYTES, TAG_BYTES, type Argon2idCost } from './argon2id-hash.ts'
import { createHashCostLimit } from './hash-cost-limit.ts'
import type { HashQueue, QueueTicket } from './hash-queue.ts'

export interface PasswordHasherOptions extends Argon2idCost {
  queue: Pick<HashQueue, 'run'>
}

/** Hashes and verifies passwords, each in its turn of the hash queue, whose errors it throws. */
export function createPasswordHasher (options: PasswordHasherOptions) {
  const { memoryKiB, iterations, parallelism, queue } = options
  const cost = { type: argon2.argon2id, memoryCost: memoryKiB, timeCost: iterations, parallelism, hashLength: TAG_BYTES }
  const isWithinCostLimit = createHashCostLimit({ memoryKiB, iterations, parallelism })
  const decoy = createDecoy({ memoryKiB, iterations, parallelism })

  function isVerifiable (stored: string): boolean {
    const hash = readArgon2id(stored)
    return hash !== undefined && isWithinCostLimit(hash)
  }

  return {
    /**
     * @returns argon2id as a PHC string, with a fresh 16-byte salt and a 32-byte tag
     * @throws {TypeError} if the password has a lone surrogate, which the policy refuses
     */
    async hash (password: string, ticket: QueueTicket): Promise<string> {
      if (!password.isWellFormed()) throw new TypeError('A password with a lone surrogate cannot be hashed')
      return queue.run(() => argon2.hash(password, { ...cost, salt: randomBytes(SALT_BYTES) }), ticket)
    },

    /**
     * @returns whether the stored hash is of this password. `false` without a hash, and for one that is unreadable or exceeds
     * the cost limit; finding out takes as long as a hash of the current cost.
     */
    async verify (stored: string | null | undefined, password: string, ticket: QueueTicket): Promise<boolean> {
      const target = stored && password.isWellFormed() && isVerifiable(stored) ? stored : decoy
      const matches = await queue.run(() => argon2.verify(target, password), ticket)
      return matches && target !== decoy
    },

    /** @returns whether a stored hash has another format or cost than `hash` produces now, and is due for renewal */
    isStale (stored: string): boolean {
      const hash = readArgon2id(stored)
      return hash?.memoryKiB !== memoryKiB || hash.iterations !== iterations || hash.parallelism !== parallelism ||
        hash.saltBytes !== SALT_BYTES || hash.tagBytes !== TAG_BYTES
    }
  }
}
