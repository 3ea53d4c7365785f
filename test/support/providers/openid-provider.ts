import type { IncomingMessage, ServerResponse } from 'node:http'
import Provider, { interactionPolicy, type Configuration } from 'oidc-provider'
import type { Test } from 'tap'
import { sendConsentPage } from './consent-page.ts'
import { createSigningKey, readIdToken, toPrivateJwk, writeIdToken, type IdTokenDeps, type SigningKey } from './id-token.ts'
import { createMemoryAdapter } from './memory-adapter.ts'
import { fieldsOf, startProviderServer, type Listener, type ProviderServer } from './provider-server.ts'

/** Somebody's account at the provider, as its claims. The key that it is kept under is its `sub`. */
export interface OpenIdAccount {
  email?: string
  email_verified?: boolean
  name?: string
}

/** What is to be wrong with an ID token. A claim that is `undefined` is left out. */
export type Forgery = Partial<IdTokenDeps>

/** A real OpenID provider. */
export interface OpenIdProvider extends ProviderServer {
  readonly issuer: string
  readonly accounts: Map<string, OpenIdAccount>
  readonly key: SigningKey
  /** Seconds that an access token lives. */
  accessTokenLife: number
  /** An ID token such as the provider's SDKs hand to an app. */
  idToken (forgery: Forgery & { claims: Readonly<Record<string, unknown>> }): string
  /** Replaces each ID token that it answers, until the test ends. */
  forge (t: Test, forgery: Forgery): void
  /** Takes every refresh token back. */
  revokeRefreshTokens (): void
}

export interface OpenIdOptions {
  clientId: string
  clientSecret: string
  redirectUri: string
  /** Google puts e-mail and name into the ID token; by OpenID Connect Core 5.4 they are at the userinfo endpoint. */
  claimsInIdToken?: boolean
  authentication?: 'client_secret_basic' | 'client_secret_post'
}

export async function startOpenIdProvider (t: Test, { clientId, clientSecret, redirectUri, claimsInIdToken = true, authentication = 'client_secret_post' }: OpenIdOptions): Promise<OpenIdProvider> {
  const accounts = new Map<string, OpenIdAccount>()
  const key = createSigningKey('rs')
  const storage = createMemoryAdapter()
  const lives = { accessToken: 3600 }

  const configuration: Configuration = {
    adapter: storage.adapter,
    clients: [{
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: authentication
    }],
    jwks: { keys: [toPrivateJwk(key)] as NonNullable<Configuration['jwks']>['keys'] },
    cookies: { keys: ['a key that signs the cookies of the provider'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: !claimsInIdToken,
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    ttl: { AccessToken: () => lives.accessToken, AuthorizationCode: 60, IdToken: 3600, RefreshToken: 86_400, Interaction: 600, Session: 86_400, Grant: 86_400 },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}`, policy: prompts() },
    findAccount: async (_ctx, sub) => accounts.has(sub) ? { accountId: sub, claims: async () => ({ sub, ...accounts.get(sub) }) } : undefined,
    loadExistingGrant,
    renderError (ctx, { error, error_description: description }) {
      ctx.type = 'text'
      ctx.body = `${error}: ${description}`
    }
  }

  const server = await startProviderServer(t, origin => createListener(new Provider(origin, configuration), accounts))

  function idToken ({ claims, header = {}, key: by = key }: Forgery & { claims: Readonly<Record<string, unknown>> }): string {
    const now = Math.floor(Date.now() / 1000)
    return writeIdToken({ claims: { iss: server.origin, iat: now, exp: now + 3600, ...claims }, header, key: by })
  }

  return {
    ...server,
    issuer: server.origin,
    accounts,
    key,
    get accessTokenLife () { return lives.accessToken },
    set accessTokenLife (seconds) { lives.accessToken = seconds },
    idToken,
    forge (t, forgery) {
      server.alter(t, '/token', reply => {
        const body = JSON.parse(reply.body) as { id_token?: string }
        if (body.id_token === undefined) return reply
        const forged = idToken({ ...forgery, claims: { ...readIdToken(body.id_token), ...forgery.claims } })
        return { ...reply, body: JSON.stringify({ ...body, id_token: forged }) }
      })
    },
    revokeRefreshTokens: () => storage.clear('RefreshToken')
  }
}

/** Google supports this prompt of OpenID Connect Core §3.1.2.1; in the library it is optional. */
function prompts () {
  const policy = interactionPolicy.base()
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0)
  return policy
}

/** Logging in counts as consent. */
const loadExistingGrant: NonNullable<Configuration['loadExistingGrant']> = async ({ oidc }) => {
  const { client, session, provider, params } = oidc
  if (client === undefined || session?.accountId === undefined) return undefined
  const id = session.grantIdFor(client.clientId)
  const found = id === undefined ? undefined : await provider.Grant.find(id)
  const grant = found ?? new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
  grant.addOIDCScope(String(params?.scope))
  await grant.save()
  return grant
}

function createListener (provider: Provider, accounts: ReadonlyMap<string, OpenIdAccount>): Listener {
  const answer = provider.callback()
  const protocol: Listener = (request, response) => { answer(request, response).catch((error: unknown) => response.destroy(error as Error)) }

  async function interact (request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') return sendConsentPage(response, 'OpenID provider')
    const fields = await fieldsOf(request)
    const account = fields.get('account') ?? ''
    const agrees = fields.get('decision') === 'allow' && accounts.has(account)
    const result = agrees
      ? { login: { accountId: account }, consent: {}, select_account: {} }
      : { error: 'access_denied', error_description: 'The user did not agree' }
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
  }

  return (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return protocol(request, response)
    interact(request, response).catch((error: unknown) => response.destroy(error as Error))
  }
}
