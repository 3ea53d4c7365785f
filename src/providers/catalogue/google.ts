import type { OpenIdSettings } from '../../config/provider-settings.ts'
import type { Log } from '../../database/database.ts'
import type { ProviderDefinition } from './authorization-code.ts'
import { openId } from './openid.ts'

/**
 * Google: an OpenID provider that issues a refresh token for `access_type=offline` instead of the scope `offline_access`.
 *
 * @see https://developers.google.com/identity/protocols/oauth2/web-server
 */
export function google (settings: OpenIdSettings, log: Log): ProviderDefinition {
  return {
    ...openId(settings, log),
    settings,
    ...settings.keepTokens && { parameters: { access_type: 'offline', prompt: 'consent' } }
  }
}
