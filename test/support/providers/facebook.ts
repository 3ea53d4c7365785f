import { createHmac, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { createAuthorizationCodes } from './authorization-codes.ts'
import { sendConsentPage } from './consent-page.ts'
import { credentialsOf } from './github.ts'
import { fieldsOf, pathOf, sendJson, sendTo, startProviderServer, type ProviderServer } from './provider-server.ts'

/** Somebody's account; the key that it is kept under is its id. Who signed up by telephone has no address. */
export interface FacebookAccount {
  name: string
  email?: string
}

/** The endpoints of facebook.com and its Graph API that signing in needs, with or without a version before them. */
export interface Facebook extends ProviderServer {
  readonly accounts: Map<string, FacebookAccount>
}

export interface FacebookOptions {
  clientId: string
  clientSecret: string
  redirectUri: string
}

export async function startFacebook (t: Test, { clientId, clientSecret, redirectUri }: FacebookOptions): Promise<Facebook> {
  const accounts = new Map<string, FacebookAccount>()
  const tokens = new Map<string, string>()
  const codes = createAuthorizationCodes()

  async function dialog (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = new URL(request.url ?? '', 'http://localhost').searchParams
    if (asked.get('client_id') !== clientId || asked.get('redirect_uri') !== redirectUri) return refuse(response, "Can't load URL", 191)
    if (request.method === 'GET') return sendConsentPage(response, 'Facebook')
    const fields = await fieldsOf(request)
    const account = fields.get('account') ?? ''
    const state = asked.get('state') ?? ''
    const back = new URL(redirectUri)
    if (fields.get('decision') !== 'allow' || !accounts.has(account)) {
      back.search = new URLSearchParams({ error: 'access_denied', error_code: '200', error_description: 'Permissions error', error_reason: 'user_denied', state }).toString()
    } else {
      const code = codes.issue({ account, redirectUri, scope: asked.get('scope') ?? '', challenge: asked.get('code_challenge'), method: asked.get('code_challenge_method') })
      back.search = new URLSearchParams({ code, state }).toString()
    }
    // Facebook is known for this fragment.
    back.hash = '_=_'
    sendTo(response, back)
  }

  async function exchange (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fields = await fieldsOf(request)
    const [id, secret] = credentialsOf(request, fields)
    if (id !== clientId || secret !== clientSecret) return refuse(response, 'Error validating client secret.', 1)
    const found = codes.redeem(fields.get('code'), fields.get('redirect_uri'), fields.get('code_verifier'))
    if (found === undefined) return refuse(response, 'This authorization code has been used.', 100)
    const token = `EAA${randomBytes(24).toString('hex')}`
    tokens.set(token, found.account)
    sendJson(response, { access_token: token, token_type: 'bearer', expires_in: 5_183_944 })
  }

  async function me (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fields = await fieldsOf(request)
    const token = fields.get('access_token') ?? /^bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const id = tokens.get(token)
    const account = accounts.get(id ?? '')
    if (id === undefined || account === undefined) return refuse(response, 'Invalid OAuth access token.', 190)
    const proof = fields.get('appsecret_proof')
    if (proof !== null && proof !== createHmac('sha256', clientSecret).update(token).digest('hex')) return refuse(response, 'Invalid appsecret_proof provided in the API argument', 100)
    const all: Record<string, string | undefined> = { id, ...account }
    const names = ['id', ...(fields.get('fields') ?? 'name').split(',')]
    sendJson(response, Object.fromEntries(names.map(name => [name, all[name]])))
  }

  const server = await startProviderServer(t, () => (request, response) => {
    const routes: Record<string, typeof dialog> = { '/dialog/oauth': dialog, '/oauth/access_token': exchange, '/me': me }
    const route = routes[pathOf(request).replace(/^\/v[0-9.]+/, '')]
    if (route === undefined) return refuse(response, 'Unknown path components', 2500)
    route(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  return { ...server, accounts }
}

function refuse (response: ServerResponse, message: string, code: number): void {
  sendJson(response, { error: { message, type: 'OAuthException', code, fbtrace_id: randomBytes(8).toString('hex') } }, 400)
}
