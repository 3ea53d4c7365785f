import { Problem } from '../errors.ts'
import type { Config } from '../config.ts'
import { HashQueueFull } from './hash-queue-full.ts'
import { createHashQueue, type HashQueueStats, type QueueTicket } from './hash-queue.ts'
import { createPasswordHasher, type PasswordHasher } from './hasher.ts'
import { assessPassword } from './policy.ts'

/** Everything the service does with passwords. */
export interface Passwords extends PasswordHasher {
  /** Refuses a password that is too easy to guess. @throws Problem 422 `weak_password` */
  assess (password: string, account: { email: string, name?: string | undefined }, field?: string): void
  queue (): HashQueueStats
}

const SERVICE_NAME = 'countersign'

type PasswordConfig = Pick<Config, 'argon2MemoryKib' | 'argon2Iterations' | 'argon2Parallelism' | 'hashConcurrency' | 'hashQueueLimit' | 'passwordMinLength'>

export function composePasswords (config: PasswordConfig): Passwords {
  const queue = createHashQueue({ concurrency: config.hashConcurrency, limit: config.hashQueueLimit })
  const hasher = createPasswordHasher({
    memoryKiB: config.argon2MemoryKib,
    iterations: config.argon2Iterations,
    parallelism: config.argon2Parallelism,
    queue: {
      ...queue,
      run: <T>(job: () => Promise<T>, place: QueueTicket) => queue.run(job, place).catch(answerBusy)
    }
  })

  return {
    ...hasher,
    queue: queue.stats,
    assess (password, { email, name }, field = 'password') {
      const weakness = assessPassword(password, { email, ...name !== undefined && { name }, minLength: config.passwordMinLength, serviceName: SERVICE_NAME })
      if (weakness !== undefined) {
        throw new Problem('weak_password', { detail: weakness.message, errors: [{ field, pointer: `#/${field}`, detail: weakness.message }] })
      }
    }
  }
}

function answerBusy (error: unknown): never {
  if (!(error instanceof HashQueueFull)) throw error
  throw new Problem('too_busy', { headers: { 'retry-after': String(error.retryAfterSeconds) }, cause: error })
}
