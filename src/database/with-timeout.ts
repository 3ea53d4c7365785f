import { DatabaseUnavailable } from './errors.ts'

/** The promise's own outcome, or DatabaseUnavailable after `ms` milliseconds, whichever comes first. */
export async function withTimeout<T> (ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DatabaseUnavailable(`The database did not answer within ${ms} ms.`)), ms)
  })
  try {
    return await Promise.race([work, tooLate])
  } finally {
    clearTimeout(timer)
  }
}
