import type { CommonProviderSettings, ProviderSettings } from './provider-settings.ts'
import type { SettingValues } from './define-setting.ts'
import type { providerSettings } from './provider-settings-table.ts'

type ProviderValues = SettingValues<typeof providerSettings>
type BuiltInId = 'google' | 'github' | 'facebook'

/** Google, GitHub and Facebook, where they are configured; an incomplete one is reported. */
export function builtInProviders (values: ProviderValues, report: (name: keyof ProviderValues, problem: string) => void): ProviderSettings[] {
  function common (id: BuiltInId, label: string): CommonProviderSettings | undefined {
    const { [`${id}ClientId` as const]: clientId, [`${id}ClientSecret` as const]: clientSecret } = values
    if (clientId !== undefined && clientSecret !== undefined) {
      return { id, label, clientId, clientSecret, scopes: values[`${id}Scopes`], keepTokens: values[`${id}KeepTokens`] }
    }
    const NAME = id.toUpperCase()
    if (clientId !== undefined) report(`${id}ClientSecret`, `is required beside ${NAME}_CLIENT_ID`)
    if (clientSecret !== undefined) report(`${id}ClientId`, `is required beside ${NAME}_CLIENT_SECRET`)
    return undefined
  }

  if (!values.googleScopes.includes('openid')) report('googleScopes', 'must include openid')
  const google = common('google', 'Google')
  const github = common('github', 'GitHub')
  const facebook = common('facebook', 'Facebook')
  const providers: Array<ProviderSettings | undefined> = [
    google && { ...google, kind: 'google', issuer: values.googleIssuer, trustEmail: true, nativeClientIds: values.googleNativeClientIds ?? [] },
    github && { ...github, kind: 'github', baseUrl: values.githubBaseUrl, apiUrl: values.githubApiUrl },
    facebook && { ...facebook, kind: 'facebook', baseUrl: values.facebookBaseUrl, graphUrl: values.facebookGraphUrl }
  ]
  return providers.filter(provider => provider !== undefined)
}
