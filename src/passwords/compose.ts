import { Problem } from '../errors.ts'
import type { Config } from '../config.ts'
import type { Log } from '../database/database.ts'
import { createHashQueue, HashQueueFull, type QueueTicket } from './hash-queue.ts'
import { createPasswordHasher } from './hasher.ts'
import { createBreachedPasswords } from './breached-passwords.ts'
import { assessPassword, breached, type PasswordWeakness } from './policy.ts'

const SOFTWARE_NAME = 'countersign'

type PasswordConfig = Pick<Config, 'argon2MemoryKib' | 'argon2Iterations' | 'argon2Parallelism' | 'hashConcurrency' | 'hashQueueLimit' | 'passwordMinLength' | 'serviceName' | 'breachedPasswordsUrl'>

export type Passwords = ReturnType<typeof composePasswords>

/** Hashing, verifying and judging passwords. */
export function composePasswords (config: PasswordConfig, log: Pick<Log, 'info' | 'warn'>) {
  const breachedPasswords = config.breachedPasswordsUrl === undefined ? undefined : createBreachedPasswords({ url: config.breachedPasswordsUrl, log })
  const queue = createHashQueue({ concurrency: config.hashConcurrency, limit: config.hashQueueLimit })
  const hasher = createPasswordHasher({
    memoryKiB: config.argon2MemoryKib,
    iterations: config.argon2Iterations,
    parallelism: config.argon2Parallelism,
    queue: { run: <T>(job: () => Promise<T>, ticket: QueueTicket) => queue.run(job, ticket).catch(throwTooBusy) }
  })

  return {
    ...hasher,
    queue: queue.stats,
    /** How often nobody could be asked whether a password is in a breach. */
    breachedUnavailable: () => breachedPasswords?.counts.unavailable ?? 0,

    /** Refuses a password that is too easy to guess. @throws Problem 422 `weak_password` */
    assess (password: string, { email, name }: { email: string, name?: string | undefined }, field = 'password'): void {
      const weakness = assessPassword(password, { email, ...name !== undefined && { name }, minLength: config.passwordMinLength, serviceNames: [config.serviceName, SOFTWARE_NAME] })
      if (weakness !== undefined) throw weakPassword(weakness, field)
    },

    /** Refuses a password that is known from a breach, where there is somebody to ask. @throws Problem 422 `weak_password` */
    async refuseBreached (password: string, field = 'password'): Promise<void> {
      if (await breachedPasswords?.has(password) === true) throw weakPassword(breached, field)
    }
  }
}

function weakPassword ({ code, message }: PasswordWeakness, field: string): Problem {
  return new Problem('weak_password', { detail: message, errors: [{ field, pointer: `#/${field}`, detail: message, code }] })
}

function throwTooBusy (error: unknown): never {
  if (!(error instanceof HashQueueFull)) throw error
  throw new Problem('too_busy', { headers: { 'retry-after': String(error.retryAfterSeconds) }, cause: error })
}
