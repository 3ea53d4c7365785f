/**
 * Whether a token names another issuer than this one. Browsers share the cookies of plain http among all ports of a host: beside
 * another service on it, its access cookie comes along here, and is no credential of ours that went bad.
 *
 * @param token of a cookie with a bare name; what is no token at all names nobody
 */
export function namesOtherIssuer (token: string, issuer: string): boolean {
  const [, payload = ''] = token.split('.', 2)
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null && 'iss' in claims && typeof claims.iss === 'string' && claims.iss !== issuer
  } catch {
    return false
  }
}
