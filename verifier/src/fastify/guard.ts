import type { FastifyBaseLogger, FastifyReply, HookHandlerDoneFunction } from 'fastify'
import type { CredentialRequest } from '../guard/identify.ts'
import type { AccessProblem } from '../guard/problem.ts'

/** What a guard looks at: the like of it has every request, over HTTP/1 and HTTP/2. */
export interface GuardedRequest extends CredentialRequest {
  readonly server: object
  readonly log: FastifyBaseLogger
}

/** What a guard answers by: any reply, whatever its route may send. */
export interface GuardedReply {
  headers (values: Readonly<Record<string, string>>): unknown
}

/** A Fastify hook that lets a request pass or refuses it; put it in `onRequest`. */
export type Guard = (request: GuardedRequest, reply: GuardedReply, done: HookHandlerDoneFunction) => void

/** Answers with a refusal; what of it is not the client's goes to the log. */
export function answer (refusal: AccessProblem, request: GuardedRequest, reply: GuardedReply): void {
  const { statusCode, code, message } = refusal
  if (statusCode >= 500) request.log.error({ err: refusal.cause ?? refusal, code }, message)
  const { headers, body } = refusal.toAnswer()
  void (reply as FastifyReply).code(statusCode).headers(headers).send(body)
}
