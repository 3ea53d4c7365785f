import type { FastifyReply } from 'fastify'
import { Problem } from '../errors.ts'

/**
 * @returns a signal that aborts when the client disconnects before the response is complete, so that no work is done for it
 *
 * `request.signal` aborts as soon as the body has been read.
 */
export function abortOnDisconnect ({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  raw.once('close', () => { if (!raw.writableFinished) controller.abort(new Problem('client_gone')) })
  return controller.signal
}
