import { createHmac } from 'node:crypto'
import { Type } from 'typebox'
import type { Configuration } from 'openid-client'
import type { FacebookSettings } from '../../config/provider-settings.ts'
import type { ProviderDefinition, TokenResponse } from './authorization-code.ts'
import { requestApi, createStaticProvider } from './static-provider.ts'
import type { Profile } from '../profile.ts'
import { createProviderFetch } from '../provider-fetch.ts'
import { createSsrfGuard } from '../ssrf-guard.ts'

const Me = Type.Object({ id: Type.String({ minLength: 1 }), name: Type.Optional(Type.String()), email: Type.Optional(Type.String()) })

/**
 * Facebook: OAuth 2.0 without OpenID Connect. It does not tell whether an e-mail address is verified, so none counts as verified.
 *
 * @see https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow
 */
export function facebook (settings: FacebookSettings): ProviderDefinition {
  const { clientId, clientSecret } = settings
  const baseUrl = settings.baseUrl.replace(/\/+$/, '')
  const graphUrl = settings.graphUrl.replace(/\/+$/, '')
  const server = createStaticProvider({
    issuer: baseUrl,
    authorizationEndpoint: `${baseUrl}/dialog/oauth`,
    tokenEndpoint: `${graphUrl}/oauth/access_token`,
    clientId,
    clientSecret,
    fetch: createProviderFetch(createSsrfGuard([baseUrl, graphUrl]))
  })

  async function readProfile (configuration: Configuration, { access_token: token }: TokenResponse): Promise<Profile> {
    const url = new URL(`${graphUrl}/me`)
    url.searchParams.set('fields', 'id,name,email')
    // Proves that the request comes from the app, and not from somebody with a stolen token.
    url.searchParams.set('appsecret_proof', createHmac('sha256', clientSecret).update(token).digest('hex'))
    const { id, name = null, email = null } = await requestApi(configuration, token, url.href, Me)
    return { issuer: baseUrl, subject: id, email, emailVerified: false, name }
  }

  return { settings, trustsEmail: false, isOpenId: false, configuration: async () => server, readProfile }
}
