import type { CommonProviderSettings, ProviderSettings } from './provider-settings.ts'
import type { SettingValues } from './define-setting.ts'
import type { providerSettings } from './provider-settings-table.ts'

type SignIn = SettingValues<typeof providerSettings>
type KnownId = 'google' | 'github' | 'facebook'

/** Google, GitHub and Facebook, each where it is configured; half a configuration is reported. */
export function builtInProviders (stated: SignIn, report: (name: keyof SignIn, problem: string) => void): ProviderSettings[] {
  function common (id: KnownId, label: string): CommonProviderSettings | undefined {
    const { [`${id}ClientId` as const]: clientId, [`${id}ClientSecret` as const]: clientSecret } = stated
    if (clientId !== undefined && clientSecret !== undefined) {
      return { id, label, clientId, clientSecret, scopes: stated[`${id}Scopes`], keepTokens: stated[`${id}KeepTokens`] }
    }
    const NAME = id.toUpperCase()
    if (clientId !== undefined) report(`${id}ClientSecret`, `is required beside ${NAME}_CLIENT_ID`)
    if (clientSecret !== undefined) report(`${id}ClientId`, `is required beside ${NAME}_CLIENT_SECRET`)
    return undefined
  }

  if (!stated.googleScopes.includes('openid')) report('googleScopes', 'must include openid')
  const google = common('google', 'Google')
  const github = common('github', 'GitHub')
  const facebook = common('facebook', 'Facebook')
  const providers: Array<ProviderSettings | undefined> = [
    google && { ...google, kind: 'google', issuer: stated.googleIssuer, trustEmail: true, nativeClientIds: stated.googleNativeClientIds ?? [] },
    github && { ...github, kind: 'github', baseUrl: stated.githubBaseUrl, apiUrl: stated.githubApiUrl },
    facebook && { ...facebook, kind: 'facebook', baseUrl: stated.facebookBaseUrl, graphUrl: stated.facebookGraphUrl }
  ]
  return providers.filter(provider => provider !== undefined)
}
