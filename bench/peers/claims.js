import { randomBytes } from 'node:crypto'

export const ISSUER = 'http://bench.local'
export const AUDIENCE = 'api'

/** The claims a Countersign access token carries, so that every peer parses as much as it does. */
export function claimsFor (user) {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: user.id,
    sid: randomBytes(16).toString('hex'),
    jti: randomBytes(32).toString('base64url'),
    iat: now,
    exp: now + 3600,
    client_id: 'countersign',
    role: user.role,
    ver: 1,
    email: user.email,
    email_verified: false
  }
}
