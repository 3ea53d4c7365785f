import { Type, type TSchema } from 'typebox'
import { catalogue, type ProblemCode } from '../../errors.ts'
import { named } from '../schemas.ts'

/** One answer as an example. */
export interface Example {
  summary: string
  value: unknown
}

/** How the document shows a good answer. */
interface Shown {
  description: string
  /** One example, or several by name. */
  example?: unknown
  examples?: Readonly<Record<string, Example>>
  headers?: Readonly<Record<string, TSchema>>
}

/** What may be wrong with any body. */
export const BODY_PROBLEMS = ['malformed_json', 'body_too_large', 'unsupported_media_type', 'validation_failed'] as const satisfies readonly ProblemCode[]

/** The security of routes for people who have logged in. */
export const AUTHENTICATED = [{ bearerAuth: [] }, { cookieAuth: [] }, { sessionAuth: [] }]

/** The security of routes for everybody. */
export const PUBLIC = []

export const RETRY_AFTER = { 'Retry-After': Type.Integer({ description: 'Seconds to wait', examples: [2] }) }

/** The response of a route that went well, with examples. */
export function jsonResponse (schema: TSchema, { description, example, examples, headers }: Shown) {
  const media = { schema, ...example !== undefined && { example }, ...examples !== undefined && { examples } }
  return { description, ...headers !== undefined && { headers }, content: { 'application/json': media } }
}

/** The response of a route that did what it was asked for, and has nothing to tell. */
export function emptyResponse (description: string, headers: Readonly<Record<string, TSchema>> = {}) {
  return Type.Null({ description, ...Object.keys(headers).length > 0 && { headers } })
}

/** The responses of a route for the problems that it may answer with, by status. */
export function problemResponses (...codes: ProblemCode[]) {
  const byStatus = new Map<number, ProblemCode[]>()
  for (const code of new Set(codes)) {
    const [status] = catalogue[code]
    byStatus.set(status, [...byStatus.get(status) ?? [], code])
  }
  return Object.fromEntries([...byStatus].map(([status, codes]) => [status, {
    description: codes.map(code => `\`${code}\`: ${catalogue[code][1]}`).join('. '),
    ...headersOf(status),
    content: {
      'application/problem+json': { schema: named('Problem'), examples: Object.fromEntries(codes.map(code => [code, example(code)])) }
    }
  }]))
}

function headersOf (status: number) {
  if (status === 401) return { headers: { 'WWW-Authenticate': Type.String({ description: 'RFC 6750 §3, RFC 9470 §3', examples: ['Bearer error="invalid_token"'] }) } }
  if (status === 429 || status === 503) return { headers: RETRY_AFTER }
  return {}
}

const ERRORS: Partial<Record<ProblemCode, readonly object[]>> = {
  validation_failed: [{ field: 'email', pointer: '#/email', detail: 'must match format "email"' }],
  weak_password: [{ field: 'password', pointer: '#/password', detail: 'This password is among the first that are guessed.' }]
}

function example (code: ProblemCode): Example {
  const [status, title] = catalogue[code]
  const errors = ERRORS[code]
  const value = { type: `urn:countersign:problem:${code}`, title, status, code, ...errors !== undefined && { errors }, ...code === 'insufficient_user_authentication' && { maxAge: 300 } }
  return { summary: title, value }
}
