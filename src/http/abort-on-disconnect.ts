import type { FastifyReply } from 'fastify'
import { Problem } from '../errors.ts'

/**
 * Aborts when the client goes before it was answered, so that nobody works for a closed socket.
 *
 * `request.signal` will not do: it aborts as soon as the body has been read.
 */
export function abortOnDisconnect ({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  raw.once('close', () => { if (!raw.writableFinished) controller.abort(new Problem('client_gone')) })
  return controller.signal
}
