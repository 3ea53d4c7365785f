import { InvalidToken } from '../errors.ts'

// The service's own answers, to the letter: a client need not know who verified its token.
const CATALOGUE = {
  unauthenticated: [401, 'Authentication required', { 'www-authenticate': 'Bearer' }],
  invalid_token: [401, 'Invalid access token', { 'www-authenticate': 'Bearer error="invalid_token"' }],
  forbidden: [403, 'Insufficient role', { 'www-authenticate': 'Bearer error="insufficient_scope"' }],
  insufficient_scope: [403, 'Insufficient scope', { 'www-authenticate': 'Bearer error="insufficient_scope"' }],
  cross_site_request: [403, 'Cross-site request refused', {}],
  unavailable: [503, 'Service temporarily unavailable', { 'retry-after': '2' }],
  internal_error: [500, 'Internal server error', {}]
} as const satisfies Record<string, readonly [status: number, title: string, headers: Readonly<Record<string, string>>]>

/** The stable name of a refusal. */
export type AccessProblemCode = keyof typeof CATALOGUE

/** Why a request was not let through, and how that is answered (RFC 9457). */
export class AccessProblem extends Error {
  override readonly name = 'AccessProblem'
  readonly code: AccessProblemCode
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>

  constructor (code: AccessProblemCode, { cause, headers }: { cause?: unknown, headers?: Readonly<Record<string, string>> } = {}) {
    const [statusCode, title, usual] = CATALOGUE[code]
    super(title, { cause })
    this.code = code
    this.statusCode = statusCode
    this.headers = headers ?? usual
  }

  /** The body of the answer, and the headers that go with it. */
  toAnswer (): { readonly headers: Readonly<Record<string, string>>, readonly body: string } {
    const { code, statusCode: status, message: title } = this
    return {
      headers: { ...this.headers, 'cache-control': 'no-store', 'content-type': 'application/problem+json; charset=utf-8' },
      body: JSON.stringify({ type: `urn:countersign:problem:${code}`, title, status, code })
    }
  }
}

/**
 * What is answered to an error that kept a request from being let through. A token that nobody can speak for now may be
 * good: its client is told to come back, and not that it must log in again.
 */
export function toProblem (error: unknown): AccessProblem {
  if (error instanceof AccessProblem) return error
  if (!(error instanceof InvalidToken)) return new AccessProblem('internal_error', { cause: error })
  return new AccessProblem(error.code, { cause: error })
}
