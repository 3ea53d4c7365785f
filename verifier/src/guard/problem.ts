import { InvalidToken } from '../errors.ts'

/**
 * The refusals of guards: status and title. The service's catalogue takes them from here: a client need not know who verified
 * its token.
 */
export const accessProblems = {
  unauthenticated: [401, 'Authentication required'],
  invalid_token: [401, 'Invalid access token'],
  insufficient_user_authentication: [401, 'Recent authentication required'],
  forbidden: [403, 'Insufficient role'],
  insufficient_scope: [403, 'Insufficient scope'],
  cross_site_request: [403, 'Cross-site request refused'],
  unavailable: [503, 'Service temporarily unavailable'],
  internal_error: [500, 'Internal server error']
} as const satisfies Record<string, readonly [status: number, title: string]>

/** The stable name of a refusal. */
export type AccessProblemCode = keyof typeof accessProblems

export type Headers = Readonly<Record<string, string>>

// RFC 6750 §3, RFC 9470 §3.
const CHALLENGES: Readonly<Record<string, string>> = {
  unauthenticated: 'Bearer',
  invalid_token: 'Bearer error="invalid_token"',
  insufficient_user_authentication: 'Bearer error="insufficient_user_authentication"',
  forbidden: 'Bearer error="insufficient_scope"',
  insufficient_scope: 'Bearer error="insufficient_scope"'
}

// Seconds: a refresh that is repeated then still gets the same successor.
const RETRY_AFTER = '2'

/**
 * @param maxAge the longest time since the login that is required, in seconds
 * @returns the headers that every response with a problem has
 */
export function problemHeaders (code: string, status: number, maxAge?: number): Headers {
  const challenge = CHALLENGES[code]
  return {
    ...status === 503 && { 'retry-after': RETRY_AFTER },
    ...challenge !== undefined && { 'www-authenticate': maxAge === undefined ? challenge : `${challenge}, max_age="${maxAge}"` }
  }
}

/** @returns the challenge that names the scopes a request needs (RFC 6750 §3) */
export function scopeChallenge (...scopes: string[]): Headers {
  return { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scopes.join(' ')}"` }
}

/** @returns the members of an application/problem+json body (RFC 9457) that every problem has */
export function problemDocument<Code extends string> ({ code, statusCode, message }: { code: Code, statusCode: number, message: string }) {
  return { type: `urn:countersign:problem:${code}`, title: message, status: statusCode, code }
}

/** The class of a guard's refusals: `AccessProblem`, or the service's own. */
export type ProblemClass<Refusal extends Error> = new (code: AccessProblemCode, options?: { cause?: unknown, headers?: Headers }) => Refusal

/** Why a request was refused, and the response to it (RFC 9457). */
export class AccessProblem extends Error {
  override readonly name = 'AccessProblem'
  readonly code: AccessProblemCode
  readonly statusCode: number
  readonly headers: Headers

  constructor (code: AccessProblemCode, { cause, headers }: { cause?: unknown, headers?: Headers } = {}) {
    const [statusCode, title] = accessProblems[code]
    super(title, { cause })
    this.code = code
    this.statusCode = statusCode
    this.headers = { ...problemHeaders(code, statusCode), ...headers }
  }

  /** The response's headers and body. */
  toAnswer (): { readonly headers: Headers, readonly body: string } {
    return {
      headers: { ...this.headers, 'cache-control': 'no-store', 'content-type': 'application/problem+json; charset=utf-8' },
      body: JSON.stringify(problemDocument(this))
    }
  }
}

/** What a service adds to the refusal of what failed. */
export interface ToRefusalOptions {
  /** Called for each refused token. */
  onRefused? (error: InvalidToken): void
  /** Whether an error means that a dependency is unavailable. */
  isUnavailable? (error: unknown): boolean
}

/**
 * @returns what makes a refusal of an error. A host's error handler may answer with what it is given: the error itself is
 * only the `cause`.
 */
export function createToRefusal<Refusal extends Error> (Problem: ProblemClass<Refusal>, { onRefused, isUnavailable }: ToRefusalOptions = {}): (error: unknown) => Refusal {
  return error => {
    if (error instanceof Problem) return error
    if (error instanceof InvalidToken) {
      onRefused?.(error)
      // `unavailable` if the token may be valid: its client should try again, not log in again.
      return new Problem(error.code, { cause: error })
    }
    return new Problem(isUnavailable?.(error) === true ? 'unavailable' : 'internal_error', { cause: error })
  }
}
