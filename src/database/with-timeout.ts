import { DatabaseUnavailable } from './errors.ts'

/** Settles as the promise does, or rejects with DatabaseUnavailable after `ms` milliseconds, whichever is first. */
export async function withTimeout<T> (ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DatabaseUnavailable(`The database did not answer within ${ms} ms.`)), ms)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}
