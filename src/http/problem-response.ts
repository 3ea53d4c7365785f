import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem, toProblemDocument, type ProblemCode } from '../errors.ts'
import { describeInvalidFields } from './strict-validator.ts'

const FASTIFY_ERRORS: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_request',
  FST_ERR_HANDLER_TIMEOUT: 'unavailable'
}

const CLIENT_ERRORS: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout'
}

const BY_STATUS: Readonly<Record<number, ProblemCode>> = {
  401: 'unauthenticated', 403: 'forbidden', 404: 'not_found', 408: 'request_timeout', 413: 'body_too_large', 415: 'unsupported_media_type', 429: 'too_many_requests'
}

/** Whether an error means that a dependency is unavailable, so that the client should try again later. */
export type IsUnavailable = (error: unknown) => boolean

/** Answers every error of an instance and its children as problem+json (RFC 9457). */
export function handleProblems (app: FastifyInstance, { isUnavailable }: { isUnavailable: IsUnavailable }): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => sendProblem(toProblem(error, isUnavailable), request, reply))
}

/** Answers requests for unknown routes. */
export function handleUnknownRoutes (app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => sendProblem(new Problem('not_found'), request, reply))
}

/** Answers requests that cannot be routed, such as those with a malformed URL. */
export function handleUnroutable (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(toProblem(error, () => false), request, reply)
}

/** Answers what Node's HTTP parser rejects, before there is a request. */
export function handleClientError (error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = new Problem(CLIENT_ERRORS[error.code] ?? 'malformed_request')
  const body = JSON.stringify(toProblemDocument(problem))
  socket.end(`HTTP/1.1 ${problem.statusCode} ${STATUS_CODES[problem.statusCode]}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`)
}

function sendProblem (problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // A full hash queue is expected during a storm of logins, thousands of times: not an error.
  if (problem.statusCode >= 500 && problem.code !== 'too_busy') request.log.error({ err: problem.cause ?? problem, code: problem.code }, problem.message)
  reply.code(problem.statusCode).headers(problem.headers).header('cache-control', 'no-store')
  // RFC 9110 §15.5.2: every 401 has a challenge.
  if (problem.statusCode === 401 && !reply.hasHeader('www-authenticate')) reply.header('www-authenticate', 'Bearer')
  return reply.type('application/problem+json').send(JSON.stringify(toProblemDocument(problem)))
}

/** @returns the problem that an error is answered as */
export function toProblem (error: FastifyError | Problem, isUnavailable: IsUnavailable): Problem {
  if (error instanceof Problem) return error
  if (error.validation !== undefined) return new Problem('validation_failed', { errors: describeInvalidFields(error.validation) })
  // A body that the client cut off has the same code (ECONNRESET) as a lost connection to the database: Fastify's status tells them apart.
  const isClientError = error.statusCode !== undefined && error.statusCode < 500
  if (!isClientError && isUnavailable(error)) return new Problem('unavailable', { cause: error })
  const code = FASTIFY_ERRORS[error.code] ?? codeForStatus(error.statusCode)
  return new Problem(code, { cause: error })
}

function codeForStatus (status: number | undefined): ProblemCode {
  if (status === undefined || status < 400 || status >= 500) return 'internal_error'
  return BY_STATUS[status] ?? 'malformed_request'
}
