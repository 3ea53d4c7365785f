import { isSafeRequest, passesCsrfCheck } from '../csrf.ts'
import type { ClientPrincipal, Principal, StalenessPolicy, TokenCredential, Verifier, VerifyOptions } from '../types.ts'
import type { AccessCookie } from './access-cookie.ts'
import { bearerToken, cookieValues } from './credentials.ts'
import { AccessProblem } from './problem.ts'

/** What a gate looks at: the like of it has every request in node. */
export interface CredentialRequest {
  readonly method?: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>> & { readonly authorization?: string | undefined, readonly cookie?: string | undefined }
}

/** Finds out who is asking, the same in every framework. */
export interface Identify {
  /**
   * Whom the request's credential speaks of: its Bearer token, or else its access cookie. A bad one is never passed over
   * for the other.
   *
   * @throws AccessProblem, InvalidToken; at once, or as a rejection
   */
  identify (request: CredentialRequest): Principal | Promise<Principal>
  /** Which other service the request's Bearer token speaks of. @throws AccessProblem, InvalidToken */
  identifyClient (request: CredentialRequest): ClientPrincipal | Promise<ClientPrincipal>
}

const NONE: readonly string[] = []

/**
 * @param policy changes to the verifier's own
 * @throws TypeError where the verifier cannot keep the policy
 */
export function createIdentify (verifier: Verifier, { name: cookieName, origins }: AccessCookie, policy: Partial<StalenessPolicy> = {}): Identify {
  const kept = verifier.policy(policy)
  const as = (credential: TokenCredential): VerifyOptions => Object.freeze({ ...kept, credential })
  const byBearer = as('bearer')
  const byCookie = as('cookie')

  /** @throws AccessProblem where a browser sends the cookie along with an unsafe request that a strange page began */
  function checkOrigin ({ method = '', headers }: CredentialRequest): void {
    const source = { method, headers }
    if (!isSafeRequest(source) && !passesCsrfCheck(source, origins)) throw new AccessProblem('cross_site_request')
  }

  return {
    identify (request) {
      const { authorization, cookie: sent } = request.headers
      const token = bearerToken(authorization)
      const cookies = sent === undefined || cookieName === undefined ? NONE : cookieValues(sent, cookieName)
      if (cookies.length > 0) checkOrigin(request)
      if (token !== undefined) return verifier.verifyLocally(token, byBearer) ?? verifier.authenticate(token, byBearer)
      const [access, ...more] = cookies
      if (access === undefined) throw new AccessProblem('unauthenticated')
      if (more.length > 0) throw new AccessProblem('invalid_token')
      return verifier.verifyLocally(access, byCookie) ?? verifier.authenticate(access, byCookie)
    },

    identifyClient ({ headers: { authorization } }) {
      const token = bearerToken(authorization)
      if (token === undefined) throw new AccessProblem('unauthenticated')
      return verifier.verifyClientLocally(token, byBearer) ?? verifier.authenticateClient(token, byBearer)
    }
  }
}
