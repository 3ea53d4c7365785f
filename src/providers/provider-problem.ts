import { AuthorizationResponseError, ResponseBodyError } from 'openid-client'
import { isError } from '../config/error-code.ts'
import { Problem, type ProblemCode } from '../errors.ts'

const FROM_AUTHORIZATION: Readonly<Record<string, ProblemCode>> = {
  access_denied: 'access_denied',
  temporarily_unavailable: 'provider_unavailable',
  server_error: 'provider_unavailable'
}

// RFC 6749 §5.2, and GitHub's own name for it.
const REFUSED_GRANTS = ['invalid_grant', 'bad_refresh_token']

/** Runs `work`, and turns its errors into Problems. Their causes contain no token and no code. */
export async function withProviderProblems<T> (work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toProblem(error)
  }
}

/** @returns whether the provider refused a grant, such as a refresh token that its owner has revoked */
export function isRefusedGrant (error: unknown): boolean {
  return error instanceof ResponseBodyError && REFUSED_GRANTS.includes(error.error)
}

function toProblem (error: unknown): Problem {
  const chain = causes(error)
  const problem = chain.find(cause => cause instanceof Problem)
  if (problem !== undefined) return problem
  const refusal = chain.find(cause => cause instanceof AuthorizationResponseError)
  const code = refusal === undefined ? 'provider_error' : FROM_AUTHORIZATION[refusal.error] ?? 'provider_error'
  return new Problem(code, { cause: new Error(chain.map(describe).join(': ')) })
}

// Only message and codes: the library's errors also contain the response, with its tokens.
function describe (error: Error & { code?: unknown, error?: unknown }): string {
  const names = [error.code, error.error].filter(name => typeof name === 'string' && /^[\w.-]{1,64}$/.test(name))
  return names.length === 0 ? error.message : `${error.message} (${names.join(', ')})`
}

/** An error and its causes, outermost first. */
function causes (error: unknown): Error[] {
  return isError(error) ? [error, ...causes(error.cause)] : []
}
