import { Problem } from '../errors.ts'
import type { Config } from '../config.ts'
import { createHashQueue, HashQueueFull, type QueueTicket } from './hash-queue.ts'
import { createPasswordHasher } from './hasher.ts'
import { assessPassword } from './policy.ts'

const SERVICE_NAME = 'countersign'

type PasswordConfig = Pick<Config, 'argon2MemoryKib' | 'argon2Iterations' | 'argon2Parallelism' | 'hashConcurrency' | 'hashQueueLimit' | 'passwordMinLength'>

export type Passwords = ReturnType<typeof composePasswords>

/** Hashing, verifying and judging passwords. */
export function composePasswords (config: PasswordConfig) {
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

    /** Refuses a password that is too easy to guess. @throws Problem 422 `weak_password` */
    assess (password: string, { email, name }: { email: string, name?: string | undefined }, field = 'password'): void {
      const weakness = assessPassword(password, { email, ...name !== undefined && { name }, minLength: config.passwordMinLength, serviceName: SERVICE_NAME })
      if (weakness !== undefined) {
        throw new Problem('weak_password', { detail: weakness.message, errors: [{ field, pointer: `#/${field}`, detail: weakness.message }] })
      }
    }
  }
}

function throwTooBusy (error: unknown): never {
  if (!(error instanceof HashQueueFull)) throw error
  throw new Problem('too_busy', { headers: { 'retry-after': String(error.retryAfterSeconds) }, cause: error })
}
