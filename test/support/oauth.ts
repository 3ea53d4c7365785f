import { randomBytes } from 'node:crypto'
import { createClientRegistry, type ClientRegistry } from '../../src/oauth/client-registry-store.ts'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { deriveAudienceKeys } from '../../src/tokens/audience-keys.ts'
import { hashOf } from './clients.ts'
import type { Answer, TestService } from './service.ts'

/** Another service, as an OAuth client. */
export interface TestClient {
  id: string
  secret: string
  audience: string | null
  /** The key of its own audience. */
  key: string
}

/** A form's parameters; `undefined` leaves one out. */
export type Form = Readonly<Record<string, string | undefined>>

/** How a request shows whose it is. */
export type Authorization = Pick<TestClient, 'id' | 'secret'> | { token: string } | undefined

/** What an OAuth endpoint answers. */
export interface OAuthBody {
  error: string
  error_description?: string
  access_token: string
  token_type: string
  expires_in: number
  scope?: string
  active: boolean
  [member: string]: unknown
}

export const ALL_SCOPES = ['introspect', 'revocations:read', 'sessions:revoke']

export function registryOf ({ database }: Pick<TestService, 'database'>): ClientRegistry {
  return createClientRegistry(database)
}

/** Registers a client as `countersign clients create` does. */
export async function registerClient (service: Pick<TestService, 'database' | 'config'>, { audience = null, scopes = ALL_SCOPES }: { audience?: string | null, scopes?: readonly string[] } = {}): Promise<TestClient> {
  const id = `client_${randomBytes(12).toString('hex')}`
  const secret = generateSecret()
  const { keyVersion } = await registryOf(service).create({ id, name: 'Cart', audience, scopes, secretHash: hashOf(secret) })
  const [key = ''] = deriveAudienceKeys(service.config.secrets, { name: audience ?? '', keyVersion })
  return { id, secret, audience, key }
}

/** The header of HTTP Basic (RFC 7617), both halves form-urlencoded first (RFC 6749 §2.3.1). */
export function basic ({ id, secret }: Pick<TestClient, 'id' | 'secret'>): string {
  const encode = (text: string) => new URLSearchParams({ text }).toString().slice('text='.length)
  return `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`
}

/** Posts a form. */
export async function post ({ call }: Pick<TestService, 'call'>, path: string, form: Form, by: Authorization, headers: Readonly<Record<string, string>> = {}): Promise<Answer<OAuthBody>> {
  const parameters = Object.entries(form).flatMap(([name, value]) => value === undefined ? [] : [[name, value]])
  const authorization = by === undefined ? {} : { authorization: 'token' in by ? `Bearer ${by.token}` : basic(by) }
  return await call<OAuthBody>(`POST ${path}`, {
    text: new URLSearchParams(parameters).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...authorization, ...headers }
  })
}

/** A token that a client gets for itself. */
export async function clientToken (service: Pick<TestService, 'call'>, client: TestClient, form: Form = {}): Promise<string> {
  const { status, body } = await post(service, '/oauth/token', { grant_type: 'client_credentials', ...form }, client)
  if (status !== 200) throw new Error(`The token endpoint answered ${status} ${body.error}`)
  return body.access_token
}

/** What a client is told of a token. */
export async function introspect (service: Pick<TestService, 'call'>, token: string, by: Authorization): Promise<OAuthBody> {
  const { status, body } = await post(service, '/oauth/introspect', { token }, by)
  if (status !== 200) throw new Error(`Introspection answered ${status} ${body.error}`)
  return body
}

/** What a token says, unverified. */
export function claimsOf (token: string): Record<string, unknown> {
  return partOf(token, 1)
}

export function headerOf (token: string): Record<string, unknown> {
  return partOf(token, 0)
}

function partOf (token: string, index: number): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString()) as Record<string, unknown>
}
