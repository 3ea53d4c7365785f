import { timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { InvalidToken } from 'countersign-verifier'
import type { ClientTokenClaims } from 'countersign-verifier/internal'
import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import { bearerToken, invalidToken } from '../http/guards.ts'
import { clientInfo } from '../http/client-info.ts'
import type { Tokens } from '../tokens/compose.ts'
import { checkBesideToken, readClientCredentials } from './client-secret-auth.ts'
import { hashClientSecret } from './client-secret.ts'
import { createAuthFailureAudit } from './auth-failure-audit.ts'
import type { ClientAuthStore, KnownClient } from './client-auth-store.ts'

/** A client that has shown who it is. */
export interface AuthenticatedClient {
  readonly id: string
  readonly name: string
  /** The audience that it belongs to: its own, or the service's. */
  readonly audience: string
  /** What it may do here: what it is registered for, or of that what its access token says. */
  readonly scopes: readonly string[]
  /** When the credential that it showed ends by itself, in Unix seconds: that of a token, or of a secret being replaced. */
  readonly expiresAt: number | null
}

/** Finds out which client a request is from. @throws Problem 401 */
export type AuthenticateClient = (request: FastifyRequest) => Promise<AuthenticatedClient>

/** Authenticates clients, and asks for a scope. */
export interface ClientAuthentication {
  /** By its secret alone: HTTP Basic, or the form's `client_id` and `client_secret` (RFC 6749 §2.3.1). */
  authenticateClient: AuthenticateClient
  /** By its secret or by its access token; it must have the scope, where one is named. @throws Problem 401, 403 */
  authorizeClient (scope?: string): AuthenticateClient
}

export interface ClientAuthenticationDeps {
  clients: ClientAuthStore
  /** The audience of clients that have none of their own. */
  audience: string
  verifyClientToken: Tokens['verifyClientToken']
  audit: AuditStore
  /** Told of each refused token. */
  onRefused (error: InvalidToken): void
}

const BASIC = { 'www-authenticate': 'Basic realm="countersign", charset="UTF-8"' }
const NOBODY = Buffer.alloc(32)

export function createClientAuthentication ({ clients, audience, verifyClientToken, audit, onRefused }: ClientAuthenticationDeps): ClientAuthentication {
  const noteFailure = createAuthFailureAudit(audit)

  async function bySecret (request: FastifyRequest): Promise<AuthenticatedClient> {
    const credentials = readClientCredentials(request)
    if (credentials === undefined) throw new Problem('invalid_client', { headers: BASIC })
    const client = await find(credentials.id)
    const given = hashClientSecret(credentials.secret)
    // An unknown client is compared with as well, so that time tells nothing of it.
    const isCurrent = timingSafeEqual(given, client?.secretHash ?? NOBODY)
    const isPrevious = timingSafeEqual(given, client?.previousHash ?? NOBODY)
    if (client === undefined || !(isCurrent || isPrevious)) {
      if (client !== undefined) await noteFailure(client.id, clientInfo(request))
      throw new Problem('invalid_client', { headers: BASIC })
    }
    return present(client, client.scopes, isCurrent ? null : client.previousEndsAt)
  }

  async function byToken (token: string, { body }: FastifyRequest): Promise<AuthenticatedClient> {
    const { sub, scope = '', exp } = readToken(token)
    checkBesideToken(body, sub)
    const client = await find(sub)
    if (client === undefined) throw invalidToken(new Error('The client was removed'))
    return present(client, client.scopes.filter(registered => scope.split(' ').includes(registered)), exp)
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

  // What no id can be is not asked for: Postgres has no text with a NUL in it.
  async function find (id: string): Promise<KnownClient | undefined> {
    return /^client_[0-9a-f]{24}$/.test(id) ? clients.find(id) : undefined
  }

  function present ({ id, name, audience: own }: KnownClient, scopes: readonly string[], expiresAt: number | null): AuthenticatedClient {
    return { id, name, audience: own ?? audience, scopes, expiresAt }
  }

  return {
    authenticateClient: bySecret,
    authorizeClient: scope => async request => {
      const token = bearerToken(request.headers.authorization)
      const client = await (token === undefined ? bySecret(request) : byToken(token, request))
      if (scope === undefined || client.scopes.includes(scope)) return client
      throw insufficientScope(scope)
    }
  }
}

/** The answer to a client that lacks a scope (RFC 6750 §3.1). */
export function insufficientScope (scope: string): Problem {
  return new Problem('insufficient_scope', { headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` } })
}
