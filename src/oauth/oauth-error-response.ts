import type { FastifyError, FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { Problem, type ProblemCode } from '../errors.ts'
import { RETRY_AFTER } from '../http/openapi/openapi-responses.ts'
import { toProblem, type IsUnavailable } from '../http/problem-response.ts'
import { named } from '../http/schemas.ts'
import { OAuthError, type OAuthErrorCode } from './oauth-error.ts'

/** The values of `error`. */
type ErrorName = OAuthErrorCode | 'too_many_requests' | 'invalid_client' | 'invalid_token' | 'insufficient_scope' | 'temporarily_unavailable' | 'server_error'

// The problems of the catalogue that have a name in OAuth; any other is `invalid_request`.
const NAMES: Partial<Record<ProblemCode, ErrorName>> = {
  invalid_client: 'invalid_client',
  invalid_token: 'invalid_token',
  insufficient_scope: 'insufficient_scope',
  unknown_audience: 'invalid_target',
  too_many_requests: 'too_many_requests',
  unavailable: 'temporarily_unavailable',
  internal_error: 'server_error'
}

const STATUSES = {
  invalid_request: 400,
  invalid_scope: 400,
  invalid_target: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  invalid_client: 401,
  invalid_token: 401,
  insufficient_scope: 403,
  too_many_requests: 429,
  server_error: 500,
  temporarily_unavailable: 503
} as const satisfies Record<ErrorName, number>

export const OAuthErrorSchema = Type.Object({
  error: Type.Enum(Object.keys(STATUSES) as ErrorName[], { type: 'string' }),
  error_description: Type.Optional(Type.String({ description: 'An explanation for the developer of the client' }))
}, { description: 'An error of an OAuth endpoint (RFC 6749 §5.2)' })

/** Makes an instance send every error in the form of RFC 6749 §5.2. */
export function handleOAuthErrors (app: FastifyInstance, { isUnavailable }: { isUnavailable: IsUnavailable }): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const problem = error instanceof OAuthError ? error : toProblem(error, isUnavailable)
    const { name, status, description, headers } = describe(problem)
    if (status >= 500) request.log.error({ err: problem.cause ?? problem, code: name }, problem.message)
    reply.code(status).headers(headers).header('cache-control', 'no-store').type('application/json; charset=utf-8')
    return reply.send(JSON.stringify({ error: name, error_description: description }))
  })
}

const FORMS_ONLY = 'Unsupported media type: send a form (application/x-www-form-urlencoded)'

interface Described {
  name: ErrorName
  status: number
  description: string
  headers: Readonly<Record<string, string>>
}

function describe (problem: OAuthError | Problem): Described {
  if (problem instanceof OAuthError) return { name: problem.code, status: 400, description: printable(problem.message), headers: {} }
  const { code, statusCode, headers, message, detail, errors = [] } = problem
  const name = NAMES[code] ?? 'invalid_request'
  const description = code === 'unsupported_media_type' ? FORMS_ONLY : errors.map(({ field, detail }) => `${field} ${detail}`.trim()).join('; ') || (detail ?? message)
  // A body of another type or content is a malformed request in OAuth: 400 (RFC 6749 §5.2).
  const status = name !== 'invalid_request' ? STATUSES[name] : [415, 422].includes(statusCode) ? 400 : statusCode
  return { name, status, description: printable(description), headers }
}

// RFC 6749 §5.2: printable ASCII without the quotation mark and the backslash.
function printable (text: string): string {
  return text.replaceAll('"', "'").replace(/[^\x20-\x5b\x5d-\x7e]/g, '?')
}

/** The error responses of an OAuth endpoint, by status, for its OpenAPI description. */
export function oauthErrors (...names: ErrorName[]) {
  const statuses = new Set(names.map(name => STATUSES[name]))
  return Object.fromEntries([...statuses].map(status => {
    const ofStatus = names.filter(name => STATUSES[name] === status)
    return [status, {
      description: ofStatus.map(name => `\`${name}\``).join(', '),
      ...headersOf(status),
      content: {
        'application/json': { schema: named('OAuthError'), examples: Object.fromEntries(ofStatus.map(name => [name, { summary: name, value: { error: name } }])) }
      }
    }]
  }))
}

function headersOf (status: number) {
  if (status === 401) return { headers: { 'WWW-Authenticate': Type.String({ description: 'RFC 7617, RFC 6750 §3', examples: ['Basic realm="countersign"'] }) } }
  return status === 429 || status === 503 ? { headers: RETRY_AFTER } : {}
}
