import type { FastifyRequest } from 'fastify'
import { authorizationOf } from '../http/guards.ts'
import { OAuthError } from './oauth-error.ts'

/** The id and secret that a client authenticates with. */
export interface ClientCredentials {
  id: string
  secret: string
}

/** The parameters by which a client may authenticate in a form. */
export interface ClientParameters {
  client_id?: string
  client_secret?: string
}

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i

/**
 * Reads a client's credentials from the Authorization header or from the form, never from both (RFC 6749 §2.3).
 *
 * @returns `undefined` where there are none, or they cannot be read
 * @throws OAuthError `invalid_request` where there are both
 */
export function readClientCredentials (request: Pick<FastifyRequest, 'headers' | 'raw'> & { body: unknown }): ClientCredentials | undefined {
  const { body } = request
  const authorization = authorizationOf(request)
  const { client_id: id, client_secret: secret } = (body ?? {}) as ClientParameters
  if (authorization === undefined) return id === undefined || secret === undefined ? undefined : { id, secret }
  if (secret !== undefined) throw severalMethods()
  const [, encoded] = BASIC.exec(authorization) ?? []
  const credentials = encoded === undefined ? undefined : readBasic(Buffer.from(encoded, 'base64').toString('utf8'))
  if (credentials !== undefined && id !== undefined && id !== credentials.id) throw anotherClient()
  return credentials
}

/**
 * Checks a form that comes with an access token: it may contain neither a secret nor another client's id.
 *
 * @throws OAuthError `invalid_request`
 */
export function checkBesideToken (body: unknown, clientId: string): void {
  const { client_id: id, client_secret: secret } = (body ?? {}) as ClientParameters
  if (secret !== undefined) throw severalMethods()
  if (id !== undefined && id !== clientId) throw anotherClient()
}

function severalMethods (): OAuthError {
  return new OAuthError('invalid_request', 'A client may use only one authentication method')
}

function anotherClient (): OAuthError {
  return new OAuthError('invalid_request', 'client_id is that of another client')
}

// Both halves are form-urlencoded (RFC 6749 §2.3.1). Many clients leave that out where nothing needs to be escaped.
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
