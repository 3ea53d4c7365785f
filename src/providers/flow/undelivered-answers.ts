import type { FastifyReply } from 'fastify'

const KEPT_FOR = 60_000
const MOST_KEPT = 1_000

interface Running<Answer> {
  answer: Promise<Answer>
  /** Whether the client was still there when the response was complete. */
  delivered: Promise<boolean>
}

/**
 * Keeps what a request has worked out when its client is gone by then: the same browser, which loaded the page again while it
 * was slow, gets it instead. What was delivered is given to nobody else.
 */
export function createUndeliveredAnswers<Answer> () {
  const running = new Map<string, Running<Answer>>()

  function forget (key: string, entry: Running<Answer>): void {
    if (running.get(key) === entry) running.delete(key)
  }

  return {
    /** Runs a task under a key. @param reply the response that delivers its answer */
    async run (key: string, { raw }: FastifyReply, task: () => Promise<Answer>): Promise<Answer> {
      const delivered = new Promise<boolean>(resolve => {
        raw.once('finish', () => resolve(true))
        raw.once('close', () => resolve(raw.writableFinished))
      })
      const entry = { answer: task(), delivered }
      running.set(key, entry)
      if (running.size > MOST_KEPT) running.delete([...running.keys()][0] ?? '')
      void delivered.then(isDelivered => {
        if (isDelivered) forget(key, entry)
        else setTimeout(() => forget(key, entry), KEPT_FOR).unref()
      })
      return entry.answer
    },

    /** @returns the answer of a task whose client is gone; once it is known whether it is */
    async take (key: string): Promise<Answer | undefined> {
      const entry = running.get(key)
      if (entry === undefined || await entry.delivered) return undefined
      forget(key, entry)
      // One that failed is tried again.
      return await entry.answer.catch(() => undefined)
    }
  }
}
