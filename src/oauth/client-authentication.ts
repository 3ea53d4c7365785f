import { timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { InvalidToken } from 'countersign-verifier'
import { scopeChallenge, type ClientTokenClaims } from 'countersign-verifier/internal'
import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import { authorizationOf, bearerToken, invalidToken } from '../http/guards.ts'
import { clientNetwork } from '../http/client-network.ts'
import { clientInfo } from '../http/client-info.ts'
import type { AttemptLimiter } from '../limits/attempt-limiter.ts'
import type { RateLimitHeaders } from '../limits/rate-limit-headers.ts'
import type { Tokens } from '../tokens/compose.ts'
import { checkBesideToken, readClientCredentials } from './client-secret-auth.ts'
import { hashClientSecret } from './client-secret.ts'
import type { ClientAuthStore, KnownClient } from './client-auth-store.ts'

/** What a client has authenticated with. */
export type ClientCredential =
  /** SHA-256 of its secret. */
  | { readonly secretHash: Buffer }
  /** The `jti` and the version of its access token. */
  | { readonly tokenId: string, readonly tokenVersion: number }

/** A client that has authenticated. */
export interface AuthenticatedClient {
  readonly id: string
  readonly name: string
  /** The audience that it belongs to: its own, or the service's. */
  readonly audience: string
  /** What it may do here: the scopes it is registered for, narrowed to those of its access token where it used one. */
  readonly scopes: readonly string[]
  /** The version of the tokens that it gets. */
  readonly version: number
  /** When the credential that it used expires, in Unix seconds: a token does, and so does a secret that is being replaced. */
  readonly expiresAt: number | null
  readonly credential: ClientCredential
}

/** Authenticates the client of a request. @throws Problem 401 */
export type AuthenticateClient = (request: FastifyRequest) => Promise<AuthenticatedClient>

export type ClientAuthentication = ReturnType<typeof createClientAuthentication>

export interface ClientAuthenticationDeps {
  limiter: AttemptLimiter
  clients: ClientAuthStore
  /** The audience of clients without one of their own. */
  audience: string
  verifyClientToken: Tokens['verifyClientToken']
  audit: AuditStore
  /** Called for each refused token. */
  onRefused (error: InvalidToken): void
}

const BASIC = 'Basic realm="countersign", charset="UTF-8"'
// Where a token will do as well (RFC 6750 §3).
const BASIC_OR_BEARER = `${BASIC}, Bearer realm="countersign"`
const NO_HASH = Buffer.alloc(32)

export function createClientAuthentication ({ limiter, clients, audience, verifyClientToken, audit, onRefused }: ClientAuthenticationDeps) {
  async function bySecret (request: FastifyRequest, challenge = BASIC): Promise<AuthenticatedClient> {
    const credentials = readClientCredentials(request)
    if (credentials === undefined) throw new Problem('invalid_client', { headers: { 'www-authenticate': challenge } })
    const client = await find(credentials.id)
    const given = hashClientSecret(credentials.secret)
    // Compared for an unknown client too: the time taken must not reveal which clients exist.
    const isCurrent = timingSafeEqual(given, client?.secretHash ?? NO_HASH)
    const isPrevious = timingSafeEqual(given, client?.previousHash ?? NO_HASH)
    if (client === undefined || !(isCurrent || isPrevious)) {
      // Counted once it has failed, and apart from the network's passwords: a secret of 256 bits is not guessed, and a client
      // with an old one must shut out neither the others behind its address nor the people there.
      const network = clientNetwork(request)
      let limits: RateLimitHeaders = {}
      await limiter.reserve([{ rule: 'network', by: network === null ? undefined : ['client', network] }], headers => { limits = headers })
      // An id that never was leaves nothing.
      if (client !== undefined) audit.recordRepeatable({ action: 'client_authentication', outcome: 'failure', detail: { clientId: client.id }, ...clientInfo(request) })
      throw new Problem('invalid_client', { headers: { 'www-authenticate': challenge, ...limits } })
    }
    return toAuthenticated(client, { scopes: client.scopes, expiresAt: isCurrent ? null : client.previousEndsAt, credential: { secretHash: given } })
  }

  async function byToken (token: string, { body }: FastifyRequest): Promise<AuthenticatedClient> {
    const { sub, jti, scope = '', exp, ver = 0 } = readToken(token)
    checkBesideToken(body, sub)
    const client = await find(sub)
    if (client === undefined) throw invalidToken(new Error('The client was removed'))
    return toAuthenticated(client, { scopes: client.scopes.filter(registered => scope.split(' ').includes(registered)), expiresAt: exp, credential: { tokenId: jti, tokenVersion: ver } })
  }

  function readToken (token: string): ClientTokenClaims {
    try {
      return verifyClientToken(token)
    } catch (error) {
      if (!(error instanceof InvalidToken)) throw error
      onRefused(error)
      throw invalidToken(error)
    }
  }

  // Anything else cannot be an id, and Postgres rejects text with a NUL.
  async function find (id: string): Promise<KnownClient | undefined> {
    return /^client_[0-9a-f]{24}$/.test(id) ? clients.find(id) : undefined
  }

  function toAuthenticated ({ id, name, version, audience: own }: KnownClient, used: Pick<AuthenticatedClient, 'scopes' | 'expiresAt' | 'credential'>): AuthenticatedClient {
    return { id, name, audience: own ?? audience, version, ...used }
  }

  return {
    /** Authenticates by the secret alone: HTTP Basic, or the form's `client_id` and `client_secret` (RFC 6749 §2.3.1). */
    authenticateClient: (request: FastifyRequest) => bySecret(request),
    /** Authenticates by the secret or by an access token; where a scope is named, the client must have it. @throws Problem 401, 403 */
    authorizeClient: (scope?: string): AuthenticateClient => async request => {
      const token = bearerToken(authorizationOf(request))
      const client = await (token === undefined ? bySecret(request, BASIC_OR_BEARER) : byToken(token, request))
      if (scope === undefined || client.scopes.includes(scope)) return client
      throw insufficientScope(scope)
    }
  }
}

/** The response to a client that lacks a scope (RFC 6750 §3.1). */
export function insufficientScope (scope: string): Problem {
  return new Problem('insufficient_scope', { headers: scopeChallenge(scope) })
}
