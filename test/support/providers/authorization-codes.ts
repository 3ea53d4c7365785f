import { createHash, randomBytes } from 'node:crypto'

/** An authorization request that the user approved. */
export interface Authorization {
  account: string
  redirectUri: string
  scope: string
  /** PKCE (RFC 7636). */
  challenge: string | null
  method?: string | null
}

/** Codes that can be redeemed once, with the same redirect URI and verifier. */
export interface AuthorizationCodes {
  issue (authorization: Authorization): string
  redeem (code: string | null, redirectUri: string | null, verifier: string | null): Authorization | undefined
}

export function createAuthorizationCodes (): AuthorizationCodes {
  const codes = new Map<string, Authorization>()
  return {
    issue (authorization) {
      const code = randomBytes(10).toString('hex')
      codes.set(code, authorization)
      return code
    },
    redeem (code, redirectUri, verifier) {
      const found = codes.get(code ?? '')
      codes.delete(code ?? '')
      if (found === undefined || found.redirectUri !== redirectUri) return undefined
      const isProven = found.challenge === null || (verifier !== null && transform(verifier, found.method) === found.challenge)
      return isProven ? found : undefined
    }
  }
}

function transform (verifier: string, method: string | null | undefined): string {
  return method === 'plain' ? verifier : createHash('sha256').update(verifier).digest('base64url')
}
