import { randomBytes } from 'node:crypto'
import argon2 from 'argon2'
import { createDecoy, readArgon2id, restOfCost, SALT_BYTES, TAG_BYTES, type Argon2idCost } from './argon2id-hash.ts'
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

  /** @returns what to verify against: the stored hash and, where it costs less than a hash does now, a decoy for the rest */
  function targetsOf (stored: string): { target: string, rest: string | undefined } | undefined {
    const hash = readArgon2id(stored)
    if (hash === undefined || !isWithinCostLimit(hash)) return undefined
    const restCost = restOfCost(options, hash)
    return { target: stored, rest: restCost && createDecoy(restCost) }
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
     * the cost limit; finding out takes as long as a hash of the current cost, for a hash that costs less too. Only one that
     * costs more takes longer.
     */
    async verify (stored: string | null | undefined, password: string, ticket: QueueTicket): Promise<boolean> {
      const found = stored && password.isWellFormed() ? targetsOf(stored) : undefined
      const { target, rest } = found ?? { target: decoy, rest: undefined }
      const matches = await queue.run(async () => {
        const isMatch = await argon2.verify(target, password)
        // After a match too: a right password for a disabled account is refused as a wrong one is.
        if (rest !== undefined) await argon2.verify(rest, password)
        return isMatch
      }, ticket)
      return matches && found !== undefined
    },

    /** @returns whether a stored hash has another format or cost than `hash` produces now, and is due for renewal */
    isStale (stored: string): boolean {
      const hash = readArgon2id(stored)
      return hash?.memoryKiB !== memoryKiB || hash.iterations !== iterations || hash.parallelism !== parallelism ||
        hash.saltBytes !== SALT_BYTES || hash.tagBytes !== TAG_BYTES
    }
  }
}
