import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { createAuthorizationCodes, type Authorization } from './authorization-codes.ts'
import { sendConsentPage } from './consent-page.ts'
import { fieldsOf, pathOf, sendJson, sendTo, startProviderServer, type ProviderServer } from './provider-server.ts'

export interface GitHubEmail {
  email: string
  primary: boolean
  verified: boolean
  visibility?: 'public' | 'private' | null
}

/** Somebody's account; the key that it is kept under is their login. */
export interface GitHubAccount {
  id: number
  name?: string | null
  /** The public address of the profile, which GitHub does not say to be verified. */
  email?: string | null
  emails: GitHubEmail[]
}

/** The endpoints of github.com and its API (below `/api/v3`, as on an enterprise's server) that signing in needs. */
export interface GitHub extends ProviderServer {
  readonly accounts: Map<string, GitHubAccount>
}

export interface GitHubOptions {
  clientId: string
  clientSecret: string
  redirectUri: string
}

export async function startGitHub (t: Test, { clientId, clientSecret, redirectUri }: GitHubOptions): Promise<GitHub> {
  const accounts = new Map<string, GitHubAccount>()
  const tokens = new Map<string, Authorization>()
  const codes = createAuthorizationCodes()

  async function authorize (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = new URL(request.url ?? '', 'http://localhost').searchParams
    if (asked.get('client_id') !== clientId) return sendJson(response, { message: 'Not Found' }, 404)
    const back = new URL(redirectUri)
    const send = (answer: Record<string, string>) => {
      // The issuer of RFC 9207, which is not the address of the site.
      back.search = new URLSearchParams({ ...answer, state: asked.get('state') ?? '', iss: `http://${request.headers.host}/login/oauth` }).toString()
      sendTo(response, back)
    }
    if (asked.get('redirect_uri') !== redirectUri) {
      return send({ error: 'redirect_uri_mismatch' })
    }
    if (request.method === 'GET') return sendConsentPage(response, 'GitHub')
    const fields = await fieldsOf(request)
    const account = fields.get('account') ?? ''
    if (fields.get('decision') !== 'allow' || !accounts.has(account)) {
      return send({ error: 'access_denied', error_description: 'The user has denied your application access.' })
    }
    const code = codes.issue({ account, redirectUri, scope: asked.get('scope') ?? '', challenge: asked.get('code_challenge'), method: asked.get('code_challenge_method') })
    send({ code })
  }

  /** GitHub answers its errors with 200, and in a form unless JSON is asked for. */
  async function exchange (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fields = await fieldsOf(request)
    const answer = (body: Record<string, string>) => {
      if (request.headers.accept?.includes('application/json')) return sendJson(response, body)
      response.setHeader('content-type', 'application/x-www-form-urlencoded; charset=utf-8')
      response.end(new URLSearchParams(body).toString())
    }
    const [id, secret] = credentialsOf(request, fields)
    if (id !== clientId || secret !== clientSecret) return answer({ error: 'incorrect_client_credentials', error_description: 'The client_id and/or client_secret passed are incorrect.' })
    const found = codes.redeem(fields.get('code'), fields.get('redirect_uri'), fields.get('code_verifier'))
    if (found === undefined) return answer({ error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' })
    const token = `gho_${randomBytes(18).toString('hex')}`
    tokens.set(token, found)
    answer({ access_token: token, scope: found.scope.replaceAll(' ', ','), token_type: 'bearer' })
  }

  function api (request: IncomingMessage, response: ServerResponse): void {
    // GitHub refuses whoever does not say who they are.
    if (!request.headers['user-agent']) return sendJson(response, { message: 'Request forbidden by administrative rules.' }, 403)
    const found = tokens.get(/^(?:bearer|token) (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '')
    const account = accounts.get(found?.account ?? '')
    if (found === undefined || account === undefined) return sendJson(response, { message: 'Bad credentials' }, 401)
    if (pathOf(request) === '/api/v3/user') return sendJson(response, { login: found.account, node_id: 'MDQ6VXNlcjE=', id: account.id, name: account.name ?? null, email: account.email ?? null })
    const mayReadEmails = found.scope.split(/[ ,]/).some(scope => scope === 'user:email' || scope === 'user')
    if (pathOf(request) === '/api/v3/user/emails' && mayReadEmails) {
      // Thirty to a page, unless more are asked for.
      const perPage = Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('per_page') ?? 30)
      return sendJson(response, account.emails.slice(0, perPage))
    }
    sendJson(response, { message: 'Not Found' }, 404)
  }

  const server = await startProviderServer(t, () => (request, response) => {
    const path = pathOf(request)
    const routes: Record<string, typeof authorize> = { '/login/oauth/authorize': authorize, '/login/oauth/access_token': exchange }
    const route = routes[path]
    if (route === undefined) return api(request, response)
    route(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  return { ...server, accounts }
}

/** The client's credentials, as a Basic header or as fields (RFC 6749 §2.3.1). */
export function credentialsOf ({ headers: { authorization = '' } }: IncomingMessage, fields: URLSearchParams): [id: string | null, secret: string | null] {
  const basic = /^basic (.+)$/i.exec(authorization)?.[1]
  if (basic === undefined) return [fields.get('client_id'), fields.get('client_secret')]
  const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString().split(':').map(part => decodeURIComponent(part.replaceAll('+', ' ')))
  return [id, secret]
}
