import type { FastifyRequest } from 'fastify'
import { OAuthError } from './oauth-error.ts'

/** What a client shows itself by. */
export interface ClientCredentials {
  id: string
  secret: string
}

/** The form of every endpoint that clients authenticate at. */
export interface ClientParameters {
  client_id?: string
  client_secret?: string
}

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i

/**
 * Reads a client's credentials: of the Authorization header or of the form, never of both (RFC 6749 §2.3).
 *
 * @returns `undefined` where there are none, or they cannot be read
 * @throws OAuthError `invalid_request` where there are two
 */
export function readClientCredentials ({ headers: { authorization }, body }: { headers: FastifyRequest['headers'], body: unknown }): ClientCredentials | undefined {
  const { client_id: id, client_secret: secret } = (body ?? {}) as ClientParameters
  if (authorization === undefined) return id === undefined || secret === undefined ? undefined : { id, secret }
  if (secret !== undefined) throw twoWays()
  const [, encoded] = BASIC.exec(authorization) ?? []
  const credentials = encoded === undefined ? undefined : readBasic(Buffer.from(encoded, 'base64').toString('utf8'))
  if (credentials !== undefined && id !== undefined && id !== credentials.id) throw anotherClient()
  return credentials
}

/**
 * Holds a form against the token that its request carries: neither a secret beside it nor another client's name.
 *
 * @throws OAuthError `invalid_request`
 */
export function checkBesideToken (body: unknown, clientId: string): void {
  const { client_id: id, client_secret: secret } = (body ?? {}) as ClientParameters
  if (secret !== undefined) throw twoWays()
  if (id !== undefined && id !== clientId) throw anotherClient()
}

function twoWays (): OAuthError {
  return new OAuthError('invalid_request', 'A client may authenticate in one way only')
}

function anotherClient (): OAuthError {
  return new OAuthError('invalid_request', 'client_id names another client')
}

// Both halves are form-urlencoded first (RFC 6749 §2.3.1), which most clients that need not escape anything leave out.
function readBasic (pair: string): ClientCredentials | undefined {
  const colon = pair.indexOf(':')
  if (colon === -1) return undefined
  try {
    return { id: decodeForm(pair.slice(0, colon)), secret: decodeForm(pair.slice(colon + 1)) }
  } catch {
    return undefined
  }
}

function decodeForm (text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
