import type { FastifyBaseLogger, FastifyReply, HookHandlerDoneFunction } from 'fastify'
import type { CredentialRequest } from '../guard/identify.ts'
import type { AccessProblem } from '../guard/problem.ts'

/** What a guard reads of a request, over HTTP/1 or HTTP/2. */
export interface GuardedRequest extends CredentialRequest {
  readonly server: object
  readonly log: FastifyBaseLogger
}

/** What a guard needs of a reply, whatever its route sends. */
export interface GuardedReply {
  headers (values: Readonly<Record<string, string>>): unknown
}

/** A Fastify hook that lets a request pass or refuses it; use it in `onRequest`. */
export type Guard = (request: GuardedRequest, reply: GuardedReply, done: HookHandlerDoneFunction) => void

/** What guards refuse with: an error that has headers for the response. */
export interface RefusalError extends Error {
  readonly headers: Readonly<Record<string, string>>
}

/** Passes a refusal to the app's error handler, which need not know that it has headers. */
export function passOn (refusal: RefusalError, _request: unknown, reply: GuardedReply, done: (error: Error) => void): void {
  reply.headers(refusal.headers)
  done(refusal)
}

/** Responds with a refusal, and logs one that is a fault of the server. */
export function respond (refusal: AccessProblem, request: GuardedRequest, reply: GuardedReply): void {
  const { statusCode, code, message } = refusal
  if (statusCode >= 500) request.log.error({ err: refusal.cause ?? refusal, code }, message)
  const { headers, body } = refusal.toAnswer()
  void (reply as FastifyReply).code(statusCode).headers(headers).send(body)
}
