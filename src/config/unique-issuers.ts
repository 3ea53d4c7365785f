import type { ProviderSettings } from './provider-settings.ts'

/**
 * Reports providers with the same issuer. An identity is identified by its issuer, so the two would share identities, and the
 * trust in either.
 *
 * @param report called with a provider and the earlier one that has the same issuer
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
