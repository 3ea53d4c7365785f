import type { Verifier, VerifierOptions } from '../types.ts'
import { createVerifier } from '../verifier.ts'
import { readCookieOptions, type AccessCookie, type CookieOptions } from './access-cookie.ts'

/** How requests are guarded. */
export interface GuardingOptions extends CookieOptions {
  /**
   * Hands refusals to the app's own error handler, as errors with a `statusCode`, a `code` and `headers`, where they would
   * be answered as problem+json. Default `false`.
   */
  readonly passRefusals?: boolean
}

/** What guards are made of: a verifier, or the options of one, which lives and ends with them. */
export type GuardOptions = GuardingOptions & (VerifierOptions<string> | { readonly verifier: Verifier<string> })

/** The same, taken apart. */
export interface Guarding {
  readonly verifier: Verifier
  /** Whether the verifier was made here, and so ends here. */
  readonly isOwn: boolean
  readonly cookie: AccessCookie
  readonly passRefusals: boolean
}

/** @throws TypeError that begins with the name of the option that is not good */
export function readGuardOptions ({ publicUrl, cookieDomain, cookieName, allowedOrigins, passRefusals = false, ...rest }: GuardOptions): Guarding {
  const isOwn = !('verifier' in rest)
  const { issuer } = 'verifier' in rest ? rest.verifier : rest
  // Before the verifier, which begins to follow the service as soon as it is made.
  const cookie = readCookieOptions({ publicUrl, cookieDomain, cookieName, allowedOrigins }, issuer)
  const verifier = 'verifier' in rest ? rest.verifier : createVerifier(rest)
  // Guards are typed for the service's own roles, whatever roles the verifier accepts.
  return { cookie, passRefusals, isOwn, verifier: verifier as Verifier }
}
