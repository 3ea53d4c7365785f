import { Type, type TSchema } from 'typebox'
import { catalogue, type ProblemCode } from '../../errors.ts'
import { EXAMPLE, named } from '../schemas.ts'

/** One example of a response. */
export interface Example {
  summary: string
  value: unknown
}

/** How the document presents a successful response. */
interface Presentation {
  description: string
  /** One example, or several by name. */
  example?: unknown
  examples?: Readonly<Record<string, Example>>
  headers?: Readonly<Record<string, TSchema>>
}

/** The problems of every route with a body. */
export const BODY_PROBLEMS = ['malformed_json', 'body_too_large', 'unsupported_media_type', 'validation_failed'] as const satisfies readonly ProblemCode[]

/**
 * The security of routes for logged-in users. They take the cookies too, which no operation lists: a generated client that has
 * one token sends it under every scheme that is listed, and with a cookie beside the header a request needs protection from CSRF.
 */
export const AUTHENTICATED = [{ bearerAuth: [] }]

/** The security of public routes. */
export const PUBLIC = []

export const RETRY_AFTER = { 'Retry-After': Type.Integer({ description: 'Seconds to wait before the next attempt', examples: [2] }) }

const RATE_LIMIT = {
  'RateLimit-Policy': Type.String({ description: 'The limit that has the least left: `q` attempts in `w` seconds', examples: ['"login";q=5;w=60'] }),
  RateLimit: Type.String({ description: 'How many attempts are left of it (`r`), and in how many seconds more are (`t`)', examples: ['"login";r=0;t=41'] })
}

/** A successful response with a body, and its examples. */
export function jsonResponse (schema: TSchema, { description, example, examples, headers }: Presentation) {
  const media = { schema, ...example !== undefined && { example }, ...examples !== undefined && { examples } }
  return { description, ...headers !== undefined && { headers }, content: { 'application/json': media } }
}

/** A successful response without a body. */
export function emptyResponse (description: string, headers: Readonly<Record<string, TSchema>> = {}) {
  return Type.Null({ description, ...Object.keys(headers).length > 0 && { headers } })
}

/** The error responses of a route, by status. */
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
  if (status === 401) return { headers: { 'WWW-Authenticate': Type.String({ description: 'The challenge (RFC 6750 §3, RFC 9470 §3)', examples: ['Bearer error="invalid_token"'] }) } }
  if (status === 429) return { headers: { ...RETRY_AFTER, ...RATE_LIMIT } }
  if (status === 503) return { headers: RETRY_AFTER }
  return {}
}

const ERRORS: Partial<Record<ProblemCode, readonly object[]>> = {
  validation_failed: [{ field: 'email', pointer: '#/email', detail: 'must be an e-mail address, without invisible or unassigned characters' }],
  weak_password: [{ field: 'password', pointer: '#/password', detail: 'This password is too common.', code: 'too_common' }]
}

function example (code: ProblemCode): Example {
  const [status, title] = catalogue[code]
  const errors = ERRORS[code]
  const value = { type: `urn:countersign:problem:${code}`, title, status, code, ...errors !== undefined && { errors }, ...code === 'insufficient_user_authentication' && { maxAge: 300 }, ...code === 'account_deletion_scheduled' && { deletionDueAt: EXAMPLE.time } }
  return { summary: title, value }
}
