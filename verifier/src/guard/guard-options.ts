import type { Role, Verifier, VerifierOptions } from '../types.ts'
import { createVerifier } from '../verifier.ts'
import { readCookieOptions, type CookieOptions } from './access-cookie.ts'

/** How requests are guarded. */
export interface GuardingOptions extends CookieOptions {
  /**
   * Passes refusals to the app's error handler, as errors with a `statusCode`, a `code` and `headers`, instead of responding
   * with problem+json. Default `false`.
   */
  readonly passRefusals?: boolean
}

/** The options of guards: a verifier, or the options of one that is created and closed with them. */
export type GuardOptions<R extends string = Role> = GuardingOptions & (VerifierOptions<R> | { readonly verifier: Verifier<R> })

/** @throws TypeError whose message begins with the name of the invalid option */
export function readGuardOptions<R extends string> ({ publicUrl, cookieDomain, cookieName, allowedOrigins, passRefusals = false, ...rest }: GuardOptions<R>) {
  const isOwn = !('verifier' in rest)
  const { issuer } = 'verifier' in rest ? rest.verifier : rest
  // Before the verifier, which starts to fetch and follow as soon as it is created.
  const cookie = readCookieOptions({ publicUrl, cookieDomain, cookieName, allowedOrigins }, issuer)
  const verifier: Verifier<R> = 'verifier' in rest ? rest.verifier : createVerifier<R>(rest)
  return {
    cookie,
    passRefusals,
    verifier,
    /** Whether the verifier was created here, and so is closed here. */
    isOwn
  }
}
