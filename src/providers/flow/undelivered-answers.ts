import type { ServerResponse } from 'node:http'
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
 * was slow, gets it instead, however often it does so. What was delivered is given to nobody else.
 */
export function createUndeliveredAnswers<Answer> () {
  const running = new Map<string, Running<Answer>>()

  function forget (key: string, entry: Running<Answer>): void {
    if (running.get(key) === entry) running.delete(key)
  }

  function keep (key: string, { raw }: FastifyReply, answer: Promise<Answer>): Promise<Answer> {
    const entry = { answer, delivered: isDelivered(raw) }
    running.set(key, entry)
    if (running.size > MOST_KEPT) running.delete([...running.keys()][0] ?? '')
    void entry.delivered.then(hasArrived => {
      if (hasArrived) forget(key, entry)
      else setTimeout(() => forget(key, entry), KEPT_FOR).unref()
    })
    return answer
  }

  return {
    /**
     * Runs a task under a key, or gives what one whose client is gone has come to; once it is known whether it is. One that failed is
     * tried again.
     *
     * @param reply the response that delivers the answer
     */
    async run (key: string, reply: FastifyReply, task: () => Promise<Answer>): Promise<Answer> {
      for (let entry = running.get(key); entry !== undefined; entry = running.get(key)) {
        const isLost = !await entry.delivered && await entry.answer.then(() => true, () => false)
        // Meanwhile another request may deliver it.
        if (running.get(key) === entry && isLost) return keep(key, reply, entry.answer)
        forget(key, entry)
      }
      return keep(key, reply, task())
    }
  }
}

/** @returns whether the client was still there when the response was complete; it may be gone already */
function isDelivered (response: ServerResponse): Promise<boolean> {
  return new Promise(resolve => {
    if (response.destroyed) resolve(response.writableFinished)
    response.once('finish', () => resolve(true))
    response.once('close', () => resolve(response.writableFinished))
  })
}
