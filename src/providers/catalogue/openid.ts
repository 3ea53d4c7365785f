import { allowInsecureRequests, customFetch, discovery, enableNonRepudiationChecks, fetchUserInfo, type Configuration } from 'openid-client'
import type { OpenIdSettings } from '../../config/provider-settings.ts'
import type { Log } from '../../database/database.ts'
import type { ProviderDefinition, TokenAnswer } from './authorization-code.ts'
import { createTokenEndpointAuth } from './token-endpoint-auth.ts'
import { cacheDiscovery } from './cached-discovery.ts'
import { createReadIdToken } from './id-token.ts'
import { toProfile, type Profile } from '../profile.ts'
import { createProviderFetch, PROVIDER_TIMEOUT } from '../provider-fetch.ts'
import { createSsrfGuard } from '../ssrf-guard.ts'

/** Any OpenID provider, by discovery (OpenID Connect Discovery 1.0). */
export function openId (settings: OpenIdSettings, log: Log): ProviderDefinition {
  const { kind, id, issuer, clientId, clientSecret, trustEmail, scopes, keepTokens, nativeClientIds } = settings
  const isReachable = createSsrfGuard([issuer])
  const fetch = createProviderFetch(isReachable)
  const prefix = `${kind === 'openid' ? 'OIDC_' : ''}${id.toUpperCase()}`
  const { authenticate, attempt } = createTokenEndpointAuth(clientSecret, {
    onRefused: () => log.warn({ provider: id }, `the provider does not know the client: look at ${prefix}_CLIENT_ID and ${prefix}_CLIENT_SECRET`)
  })
  const isPlain = issuer.startsWith('http:')

  const configuration = cacheDiscovery(async () => {
    const discovered = await discovery(new URL(issuer), clientId, clientSecret, authenticate, {
      timeout: PROVIDER_TIMEOUT,
      [customFetch]: fetch,
      // ID tokens are verified by the provider's keys, also where TLS would do (OpenID Connect Core §3.1.3.7).
      execute: [enableNonRepudiationChecks, ...isPlain ? [allowInsecureRequests] : []]
    })
    // The one address that is not for us to ask, but to send people to.
    const { authorization_endpoint: page = '' } = discovered.serverMetadata()
    if (!isReachable(new URL(page))) throw new Error('nobody may be sent to its authorization endpoint')
    return discovered
  }, { onFailed: error => log.warn({ provider: id, err: error }, 'the provider does not tell its metadata again; what it told before is kept to') })

  return {
    settings: keepTokens ? { ...settings, scopes: [...new Set([...scopes, 'offline_access'])] } : settings,
    trustsEmail: trustEmail,
    isOpenId: true,
    // OpenID Connect Core §11: without asking, no refresh token.
    ...keepTokens && { parameters: { prompt: 'consent' } },
    configuration,
    authenticated: attempt,
    readProfile,
    ...nativeClientIds.length > 0 && { readIdToken: createReadIdToken({ configuration, clientIds: nativeClientIds, fetch, isPlain }) }
  }
}

// An address and whether it is verified come from one answer, never from two.
async function readProfile (configuration: Configuration, answer: TokenAnswer): Promise<Profile> {
  const claims = answer.claims()
  if (claims === undefined) throw new Error('the provider gave no ID token')
  const hasUserInfo = configuration.serverMetadata().userinfo_endpoint !== undefined
  if (claims.email !== undefined || !hasUserInfo) return toProfile(claims, claims.iss)
  return toProfile(await fetchUserInfo(configuration, answer.access_token, claims.sub), claims.iss)
}
