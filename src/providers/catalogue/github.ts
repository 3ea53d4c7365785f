import { Type } from 'typebox'
import type { Configuration, CustomFetch } from 'openid-client'
import type { GithubSettings } from '../../config/provider-settings.ts'
import type { ProviderDefinition, TokenResponse } from './authorization-code.ts'
import { requestApi, createStaticProvider } from './static-provider.ts'
import type { Profile } from '../profile.ts'
import { createProviderFetch } from '../provider-fetch.ts'
import { createSsrfGuard } from '../ssrf-guard.ts'

const User = Type.Object({ id: Type.Integer({ minimum: 1 }), name: Type.Optional(Type.Union([Type.String(), Type.Null()])) })
const Emails = Type.Array(Type.Object({ email: Type.String(), primary: Type.Boolean(), verified: Type.Boolean() }))

const API_HEADERS = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }

/**
 * GitHub, or a GitHub Enterprise server: OAuth 2.0 without OpenID Connect. The profile comes from its API.
 *
 * @see https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
 */
export function github (settings: GithubSettings): ProviderDefinition {
  const { clientId, clientSecret } = settings
  const baseUrl = settings.baseUrl.replace(/\/+$/, '')
  const apiUrl = settings.apiUrl.replace(/\/+$/, '')
  const server = createStaticProvider({
    // GitHub sends this as `iss` (RFC 9207). The issuer of identities is the URL of the site.
    issuer: `${baseUrl}/login/oauth`,
    authorizationEndpoint: `${baseUrl}/login/oauth/authorize`,
    tokenEndpoint: `${baseUrl}/login/oauth/access_token`,
    clientId,
    clientSecret,
    fetch: withErrorStatus(createProviderFetch(createSsrfGuard([baseUrl, apiUrl])))
  })

  async function readProfile (configuration: Configuration, { access_token: token }: TokenResponse): Promise<Profile> {
    const user = await requestApi(configuration, token, `${apiUrl}/user`, User, API_HEADERS)
    const emails = await requestApi(configuration, token, `${apiUrl}/user/emails?per_page=100`, Emails, API_HEADERS)
    // The profile contains any address that its owner entered: only this list tells which one is verified.
    const primary = emails.find(({ primary, verified }) => primary && verified)
    return { issuer: baseUrl, subject: String(user.id), email: primary?.email ?? null, emailVerified: primary !== undefined, name: user.name ?? null }
  }

  return { settings, trustsEmail: true, isOpenId: false, configuration: async () => server, readProfile }
}

// GitHub refuses a code or a refresh token with status 200; RFC 6749 §5.2 requires 400.
function withErrorStatus (fetch: CustomFetch): CustomFetch {
  return async (url, options) => {
    const response = await fetch(url, options)
    if (options.method !== 'POST' || response.status !== 200) return response
    const body: unknown = await response.clone().json().catch(() => undefined)
    const isRefusal = typeof body === 'object' && body !== null && 'error' in body
    return isRefusal ? Response.json(body, { status: 400 }) : response
  }
}
