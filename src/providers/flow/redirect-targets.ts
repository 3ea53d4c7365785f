import { Problem, type ProblemCode } from '../../errors.ts'

/** Where people may be sent back to, and no further. */
export interface RedirectTargets {
  /** @returns the target that was asked for, or the first where none was. @throws Problem 422 for one that is not allowed */
  choose (redirectTo: string | undefined): string
  /** @returns a target, if it is allowed still; the first otherwise */
  orFirst (redirectTo: string | undefined): string
}

/** @param allowed compared exactly, character by character (RFC 9700 §4.1.3) */
export function createRedirectTargets (allowed: readonly [string, ...string[]]): RedirectTargets {
  const [first] = allowed
  const isAllowed = (target: string) => allowed.includes(target)
  return {
    choose (redirectTo = first) {
      if (isAllowed(redirectTo)) return redirectTo
      throw new Problem('validation_failed', { errors: [{ field: 'redirectTo', pointer: '#/redirectTo', detail: 'is not among ALLOWED_REDIRECTS' }] })
    },
    orFirst: (redirectTo = first) => isAllowed(redirectTo) ? redirectTo : first
  }
}

/** @returns whether a target is an app's by a scheme of its own, which any app may have claimed */
export function isCustomScheme (target: string): boolean {
  return !['https:', 'http:'].includes(new URL(target).protocol)
}

/** @returns a target that tells what went wrong */
export function withError (target: string, code: ProblemCode): string {
  return withParameter(target, 'error', code)
}

/** @returns an app's target with its one-time code */
export function withCode (target: string, code: string): string {
  return withParameter(target, 'code', code)
}

function withParameter (target: string, name: string, value: string): string {
  const url = new URL(target)
  url.searchParams.set(name, value)
  return url.href
}
