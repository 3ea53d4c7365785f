/** Runs at most `limit` tasks at a time; the others wait, first come first served. */
export function createSemaphore (limit: number): <Result>(task: () => Promise<Result>) => Promise<Result> {
  const waiting: Array<() => void> = []
  let running = 0

  return async task => {
    if (running >= limit) await new Promise<void>(resolve => { waiting.push(resolve) })
    else running++
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
