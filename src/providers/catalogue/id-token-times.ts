import type { IDToken } from 'openid-client'

// Seconds. The clocks of two machines may differ.
const TOLERANCE = 60
// A day more than the longest that a known provider can be configured for.
const MAX_LIFETIME = 31 * 86_400

/**
 * Checks the times of a verified ID token that the library leaves open: it checks `exp` and `nbf`.
 *
 * @throws Error for a token from the future, or one with an absurd lifetime (OpenID Connect Core §3.1.3.7)
 */
export function assertIdTokenTimes ({ iat, exp, auth_time: authenticatedAt = iat }: IDToken): void {
  const latest = Date.now() / 1000 + TOLERANCE
  // Written so that NaN and Infinity are refused.
  if (!(iat <= latest)) throw new Error('The ID token was issued in the future')
  if (!(authenticatedAt <= latest)) throw new Error('The ID token has an auth_time in the future')
  if (!(exp > iat && exp - iat <= MAX_LIFETIME)) throw new Error('The ID token has an absurd lifetime')
}
