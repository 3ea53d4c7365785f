/**
 * Every error that the service answers with: code, status, title. The title is all that clients are told; a cause goes
 * to the log under the request's id.
 */
export const catalogue = {
  malformed_request: [400, 'The request could not be read'],
  malformed_json: [400, 'The body is not valid JSON'],
  invalid_state: [400, 'The sign-in is too old, was finished before, or was begun elsewhere'],
  unauthenticated: [401, 'Authentication is required'],
  invalid_token: [401, 'The access token is not valid'],
  invalid_session: [401, 'The session is not valid'],
  invalid_credentials: [401, 'The e-mail address or the password is wrong'],
  invalid_refresh_token: [401, 'The refresh token is not valid'],
  refresh_token_reused: [401, 'The refresh token was used before; its session has ended'],
  invalid_client: [401, 'The client is not known, or its secret is wrong'],
  invalid_id_token: [401, 'The ID token is not valid'],
  invalid_code: [401, 'The one-time code is not valid'],
  insufficient_user_authentication: [401, 'A recent login is required, shown by the session\'s own credential'],
  forbidden: [403, 'The role does not permit this'],
  insufficient_scope: [403, 'The client does not have the scope for this'],
  access_denied: [403, 'The sign-in was refused at the provider'],
  account_disabled: [403, 'The account is disabled'],
  different_session: [403, 'The session that began this is not the one that came back'],
  cross_site_request: [403, 'Requests with cookies are not accepted from this origin'],
  not_found: [404, 'There is nothing here'],
  request_timeout: [408, 'The request took too long'],
  email_taken: [409, 'An account with this e-mail address exists'],
  account_exists: [409, 'An account with this e-mail address exists: log in to it, and link the provider there'],
  identity_taken: [409, 'This identity is linked to another account'],
  last_way_in: [409, 'There would be no way left to sign in'],
  reauthorization_required: [409, 'The provider has to be asked again: sign in with it'],
  last_admin: [409, 'The last admin must remain one'],
  body_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'The body must be JSON'],
  validation_failed: [422, 'Some fields are not valid'],
  email_required: [422, 'The provider gave no e-mail address'],
  weak_password: [422, 'The password is too easy to guess'],
  unknown_audience: [422, 'No service is registered for this audience'],
  too_many_requests: [429, 'Too many requests'],
  headers_too_large: [431, 'The headers are too large'],
  client_gone: [499, 'The client went away'],
  internal_error: [500, 'Something went wrong'],
  provider_error: [502, 'The provider gave an answer that is of no use'],
  provider_unavailable: [503, 'The provider cannot be reached'],
  too_busy: [503, 'The service is too busy'],
  unavailable: [503, 'The service is temporarily unavailable']
} as const satisfies Record<string, readonly [status: number, title: string]>

/** The stable name of an error. */
export type ProblemCode = keyof typeof catalogue

/** One field of the request that is not valid. */
export interface FieldProblem {
  /** The field's name, dotted where it is nested. */
  field: string
  /** A JSON Pointer into the request's part (RFC 6901), as a fragment. */
  pointer: string
  detail: string
}

/** What a problem may carry beside its code. */
export interface ProblemOptions {
  detail?: string
  errors?: readonly FieldProblem[]
  headers?: Readonly<Record<string, string>>
  /** How long ago, in seconds, the login may be that is asked for (RFC 9470). */
  maxAge?: number
  /** For the log only. */
  cause?: unknown
}

// What a client has to show (RFC 6750 §3, RFC 9470 §3), whatever route it asked.
const CHALLENGES: Partial<Record<ProblemCode, string>> = {
  unauthenticated: 'Bearer',
  invalid_token: 'Bearer error="invalid_token"',
  insufficient_user_authentication: 'Bearer error="insufficient_user_authentication"'
}

// Seconds; well within the time that a repeated refresh is taken for what it is.
const RETRY_AFTER = '2'

/** An error with a decided answer (RFC 9457). */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly statusCode: number
  readonly detail: string | undefined
  readonly errors: readonly FieldProblem[] | undefined
  readonly maxAge: number | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor (code: ProblemCode, { detail, errors, headers = {}, maxAge, cause }: ProblemOptions = {}) {
    const [statusCode, title] = catalogue[code]
    super(title, { cause })
    this.code = code
    this.statusCode = statusCode
    this.detail = detail
    this.errors = errors
    this.maxAge = maxAge
    const challenge = CHALLENGES[code]
    this.headers = {
      ...statusCode === 503 && { 'retry-after': RETRY_AFTER },
      ...challenge !== undefined && { 'www-authenticate': maxAge === undefined ? challenge : `${challenge}, max_age="${maxAge}"` },
      ...headers
    }
  }
}

/** @returns the answer to one field that is not valid, for a reason that no schema knows */
export function invalidField (field: string, detail: string): Problem {
  return new Problem('validation_failed', { errors: [{ field, pointer: `#/${field}`, detail }] })
}

/** The body of a problem response. */
export interface ProblemDocument {
  type: string
  title: string
  status: number
  code: ProblemCode
  detail?: string
  errors?: readonly FieldProblem[]
  maxAge?: number
}

/** @returns what the client is told */
export function toProblemDocument ({ code, statusCode, message, detail, errors, maxAge }: Problem): ProblemDocument {
  return {
    type: `urn:countersign:problem:${code}`,
    title: message,
    status: statusCode,
    code,
    ...detail !== undefined && { detail },
    ...errors !== undefined && { errors },
    ...maxAge !== undefined && { maxAge }
  }
}
