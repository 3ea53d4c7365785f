import type { ProviderSettings } from './provider-settings.ts'

/**
 * Identities go by their issuer: two providers of one issuer would share them, and the trust that is put in either.
 *
 * @param report told of a provider, and of the one before it that has its issuer
 */
export function checkUniqueIssuers (providers: readonly ProviderSettings[], report: (provider: ProviderSettings, other: ProviderSettings) => void): void {
  const owners = new Map<string, ProviderSettings>()
  for (const provider of providers) {
    const issuer = new URL('issuer' in provider ? provider.issuer : provider.baseUrl).href.replace(/\/+$/, '')
    const other = owners.get(issuer)
    if (other === undefined) owners.set(issuer, provider)
    else report(provider, other)
  }
}
