import { invalidField, type ProblemCode } from '../../errors.ts'

export type RedirectTargets = ReturnType<typeof createRedirectTargets>

/**
 * The URLs that a browser may be redirected to after a flow.
 *
 * @param allowed compared exactly, character by character (RFC 9700 §4.1.3); the first is the default
 */
export function createRedirectTargets (allowed: readonly [string, ...string[]]) {
  const [first] = allowed
  return {
    /** @returns the requested target, or the default if there is none. @throws Problem 422 when it is not allowed */
    choose (redirectTo: string = first): string {
      if (allowed.includes(redirectTo)) return redirectTo
      throw invalidField('redirectTo', 'is not among ALLOWED_REDIRECTS')
    },

    /** @returns the target, or the default if it is not allowed any more */
    allowedOrFirst: (redirectTo: string = first): string => allowed.includes(redirectTo) ? redirectTo : first
  }
}

/** @returns whether a target has an app's custom scheme, which any other app can claim too */
export function isCustomScheme (target: string): boolean {
  return !['https:', 'http:'].includes(new URL(target).protocol)
}

/** Why a sign-in failed, and the request under whose id the log has the cause. */
export interface SignInFailure {
  code: ProblemCode
  requestId: string
}

/** @returns the target with a failure for the app */
export function withFailure (target: string, { code, requestId }: SignInFailure): string {
  return withParameter(withParameter(target, 'error', code), 'request_id', requestId)
}

/** @returns the target with a one-time code for the app */
export function withCode (target: string, code: string): string {
  return withParameter(target, 'code', code)
}

function withParameter (target: string, name: string, value: string): string {
  const url = new URL(target)
  url.searchParams.set(name, value)
  return url.href
}
