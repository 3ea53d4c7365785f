/** Lets a few pass at a time; the others wait, in the order in which they came. */
export function createSemaphore (atOnce: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: Array<() => void> = []
  let inside = 0

  return async work => {
    if (inside >= atOnce) await new Promise<void>(resolve => { waiting.push(resolve) })
    else inside++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) inside--
      else next()
    }
  }
}
