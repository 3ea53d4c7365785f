import { accessProblems, problemDocument, problemHeaders } from 'countersign-verifier/internal'

/**
 * Every error of the service: code, status, title. Clients see nothing else of it; the cause is in the log, under the
 * request's id.
 */
export const catalogue = {
  malformed_request: [400, 'Malformed request'],
  malformed_json: [400, 'Malformed JSON'],
  invalid_state: [400, 'Invalid or expired sign-in state'],
  link_invalid: [400, 'Invalid link'],
  unauthenticated: accessProblems.unauthenticated,
  invalid_token: accessProblems.invalid_token,
  invalid_session: [401, 'Invalid session'],
  invalid_credentials: [401, 'Wrong e-mail address or password'],
  invalid_refresh_token: [401, 'Invalid refresh token'],
  refresh_token_reused: [401, 'Refresh token reused: the session has ended'],
  invalid_client: [401, 'Invalid client credentials'],
  invalid_id_token: [401, 'Invalid ID token'],
  invalid_code: [401, 'Invalid or expired one-time code'],
  insufficient_user_authentication: accessProblems.insufficient_user_authentication,
  forbidden: accessProblems.forbidden,
  insufficient_scope: accessProblems.insufficient_scope,
  access_denied: [403, 'Sign-in denied at the provider'],
  email_unverified: [403, 'E-mail address not verified'],
  account_disabled: [403, 'Account disabled'],
  account_deletion_scheduled: [403, 'The account is to be deleted'],
  different_session: [403, 'Started in another session'],
  cross_site_request: accessProblems.cross_site_request,
  not_found: [404, 'Not found'],
  request_timeout: [408, 'Request timeout'],
  email_taken: [409, 'An account with this e-mail address already exists'],
  account_exists: [409, 'An account with this e-mail address already exists: log in to it, then link the provider'],
  identity_taken: [409, 'Identity already linked to another account'],
  last_way_in: [409, 'The last sign-in method cannot be removed'],
  reauthorization_required: [409, 'Sign in at the provider again'],
  last_admin: [409, 'The last admin cannot be removed'],
  link_used: [410, 'Link already used'],
  link_expired: [410, 'Link expired'],
  body_too_large: [413, 'Request body too large'],
  unsupported_media_type: [415, 'Unsupported media type: send JSON'],
  validation_failed: [422, 'Validation failed'],
  email_required: [422, 'The provider returned no e-mail address'],
  weak_password: [422, 'Password too weak'],
  unknown_audience: [422, 'Unknown audience'],
  too_many_requests: [429, 'Too many requests'],
  too_many_failures: [429, 'Too many failed attempts for this account'],
  headers_too_large: [431, 'Request headers too large'],
  client_gone: [499, 'Client closed the request'],
  internal_error: accessProblems.internal_error,
  provider_error: [502, 'Invalid response from the provider'],
  provider_unavailable: [503, 'Provider unavailable'],
  too_busy: [503, 'Server too busy'],
  unavailable: accessProblems.unavailable
} as const satisfies Record<string, readonly [status: number, title: string]>

/** The stable name of an error: clients decide by it. */
export type ProblemCode = keyof typeof catalogue

/** One invalid field of a request. */
export interface FieldProblem {
  /** The name of the field, dotted where it is nested. */
  field: string
  /** A JSON Pointer to it (RFC 6901), as a URI fragment. */
  pointer: string
  detail: string
  /** Of a password: the stable name of what is wrong with it. */
  code?: string
}

/** What an error has beside its code. */
export interface ProblemOptions {
  detail?: string
  errors?: readonly FieldProblem[]
  headers?: Readonly<Record<string, string>>
  /** How long ago, in seconds, the login may be that is asked for (RFC 9470). */
  maxAge?: number
  /** When the account will be deleted, in ISO 8601. */
  deletionDueAt?: string
  /** For the log only. */
  cause?: unknown
}

/** An error that is answered as problem+json (RFC 9457). */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly statusCode: number
  readonly detail: string | undefined
  readonly errors: readonly FieldProblem[] | undefined
  readonly maxAge: number | undefined
  readonly deletionDueAt: string | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor (code: ProblemCode, { detail, errors, headers = {}, maxAge, deletionDueAt, cause }: ProblemOptions = {}) {
    const [statusCode, title] = catalogue[code]
    super(title, { cause })
    this.code = code
    this.statusCode = statusCode
    this.detail = detail
    this.errors = errors
    this.maxAge = maxAge
    this.deletionDueAt = deletionDueAt
    this.headers = { ...problemHeaders(code, statusCode, maxAge), ...headers }
  }
}

/** @returns the error for one invalid field, where a schema cannot tell */
export function invalidField (field: string, detail: string): Problem {
  return new Problem('validation_failed', { errors: [{ field, pointer: `#/${field}`, detail }] })
}

/** The body of an application/problem+json response. */
export interface ProblemDocument {
  type: string
  title: string
  status: number
  code: ProblemCode
  detail?: string
  errors?: readonly FieldProblem[]
  maxAge?: number
  deletionDueAt?: string
}

/** @returns the body that the client gets */
export function toProblemDocument (problem: Problem): ProblemDocument {
  const { detail, errors, maxAge, deletionDueAt } = problem
  return { ...problemDocument(problem), ...detail !== undefined && { detail }, ...errors !== undefined && { errors }, ...maxAge !== undefined && { maxAge }, ...deletionDueAt !== undefined && { deletionDueAt } }
}
