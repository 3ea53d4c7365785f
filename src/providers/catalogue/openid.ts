import { allowInsecureRequests, customFetch, discovery, enableNonRepudiationChecks, fetchUserInfo, type Configuration } from 'openid-client'
import type { OpenIdSettings } from '../../config/provider-settings.ts'
import type { Log } from '../../database/database.ts'
import type { ProviderDefinition, TokenResponse } from './authorization-code.ts'
import { createTokenEndpointAuth } from './token-endpoint-auth.ts'
import { cacheDiscovery } from './cached-discovery.ts'
import { createReadIdToken } from './id-token.ts'
import { toProfile, type Profile } from '../profile.ts'
import { createProviderFetch, PROVIDER_TIMEOUT } from '../provider-fetch.ts'
import { createSsrfGuard } from '../ssrf-guard.ts'
import { withStrongKeys } from './strong-keys.ts'

/** Any OpenID provider with discovery (OpenID Connect Discovery 1.0). */
export function openId (settings: OpenIdSettings, log: Log): ProviderDefinition {
  const { kind, id, issuer, clientId, clientSecret, trustEmail, scopes, keepTokens, nativeClientIds } = settings
  const guard = createSsrfGuard([issuer])
  const fetch = withStrongKeys(createProviderFetch(guard))
  const prefix = `${kind === 'openid' ? 'OIDC_' : ''}${id.toUpperCase()}`
  const { authenticate, withClientAuth } = createTokenEndpointAuth(clientSecret, {
    onRefused: () => log.warn({ provider: id }, `client credentials rejected by the provider: check ${prefix}_CLIENT_ID and ${prefix}_CLIENT_SECRET`)
  })
  const allowHttp = issuer.startsWith('http:')

  const configuration = cacheDiscovery(async () => {
    const discovered = await discovery(new URL(issuer), clientId, clientSecret, authenticate, {
      timeout: PROVIDER_TIMEOUT,
      [customFetch]: fetch,
      // Verifies the signature of ID tokens also where OpenID Connect Core §3.1.3.7 lets TLS replace it.
      execute: [enableNonRepudiationChecks, ...allowHttp ? [allowInsecureRequests] : []]
    })
    // The guard checks every request of the service; the browser is redirected to this endpoint instead.
    const { authorization_endpoint: endpoint = '' } = discovered.serverMetadata()
    if (guard(new URL(endpoint)) === undefined) throw new Error('Authorization endpoint refused by the SSRF guard')
    return discovered
  }, { onFailed: error => log.warn({ provider: id, err: error }, 'provider metadata not refreshed, cached metadata still in use') })

  return {
    settings: keepTokens ? { ...settings, scopes: [...new Set([...scopes, 'offline_access'])] } : settings,
    trustsEmail: trustEmail,
    isOpenId: true,
    // OpenID Connect Core §11: no refresh token without consent.
    ...keepTokens && { parameters: { prompt: 'consent' } },
    configuration,
    authenticated: withClientAuth,
    readProfile,
    ...nativeClientIds.length > 0 && { readIdToken: createReadIdToken({ configuration, clientIds: nativeClientIds, fetch, allowHttp }) }
  }
}

// `email` and `email_verified` come from the same response, never from two.
async function readProfile (configuration: Configuration, tokens: TokenResponse): Promise<Profile> {
  const claims = tokens.claims()
  if (claims === undefined) throw new Error('The token response has no ID token')
  const hasUserInfo = configuration.serverMetadata().userinfo_endpoint !== undefined
  if (claims.email !== undefined || !hasUserInfo) return toProfile(claims, claims.iss)
  return toProfile(await fetchUserInfo(configuration, tokens.access_token, claims.sub), claims.iss)
}
