import { setTimeout } from 'node:timers/promises'
import type { Log } from '../../database/database.ts'
import { Problem } from '../../errors.ts'
import type { TokenVault } from './token-vault.ts'
import type { Provider, ProviderTokens } from '../provider.ts'
import { PROVIDER_TIMEOUT } from '../provider-fetch.ts'
import type { TokenRow, ProviderTokenStore } from './provider-token-store.ts'

/** A valid access token of a provider. */
export interface FreshProviderToken {
  accessToken: string
  expiresAt: Date | null
  scope: string | null
}

export interface FreshProviderTokenDeps {
  tokens: ProviderTokenStore
  vault: TokenVault
  providers: ReadonlyMap<string, Provider>
  log: Log
}

export type GetFreshProviderToken = ReturnType<typeof createGetFreshProviderToken>

// Seconds: more than requesting metadata, keys and twice tokens, and storing them, can take.
const LEASE = 6 * PROVIDER_TIMEOUT
// Milliseconds.
const MAX_WAIT = 8_000
const MIN_PAUSE = 50
const MAX_PAUSE = 500
const STORE_ATTEMPTS = 3

/**
 * Of many concurrent requests, on any instance, one refreshes and the others wait for its result: a provider that rotates
 * its refresh tokens treats a second use as theft.
 */
export function createGetFreshProviderToken ({ tokens, vault, providers, log }: FreshProviderTokenDeps) {
  const pending = new Map<string, Promise<FreshProviderToken>>()

  async function refreshOnce (identity: { id: string, userId: string }, stale: TokenRow): Promise<FreshProviderToken> {
    const until = performance.now() + MAX_WAIT
    for (let pause = MIN_PAUSE; performance.now() < until; pause = Math.min(2 * pause, MAX_PAUSE)) {
      const { row, provider } = await find(identity)
      // Another instance has refreshed it, however short the new one lives.
      if (row.accessToken !== stale.accessToken) return decryptAccessToken(row)
      if (row.refreshToken === null) throw new Problem('reauthorization_required')
      const lease = await tokens.acquireLease(identity.id, stale.accessToken, LEASE)
      if (lease !== undefined) return await refresh(identity.id, row, provider, lease).catch(error => useStoredMeanwhile(identity, row, error))
      await setTimeout(pause)
    }
    throw new Problem('provider_unavailable')
  }

  // The owner may have signed in again since: the provider then refuses the old refresh token, and new tokens are stored.
  async function useStoredMeanwhile (identity: { id: string, userId: string }, { accessToken }: TokenRow, error: unknown): Promise<FreshProviderToken> {
    const isRefused = error instanceof Problem && error.code === 'reauthorization_required'
    const now = isRefused ? (await find(identity)).row : undefined
    if (now === undefined || now.accessToken === accessToken) throw error
    return decryptAccessToken(now)
  }

  async function find (identity: { id: string, userId: string }): Promise<{ row: TokenRow, provider: Provider }> {
    const row = await tokens.find(identity)
    const provider = row && providers.get(row.provider)
    if (row === undefined || provider?.keepsTokens !== true) throw new Problem('not_found')
    return { row, provider }
  }

  async function refresh (id: string, row: TokenRow, provider: Provider, lease: Date): Promise<FreshProviderToken> {
    const refreshed = await requestRefresh(id, row, provider, lease)
    await store(id, row, refreshed, lease)
    const { accessToken, expiresIn, scope } = refreshed
    return { accessToken, expiresAt: expiresIn === null ? null : new Date(Date.now() + expiresIn * 1000), scope: scope ?? row.scope }
  }

  async function requestRefresh (id: string, row: TokenRow, provider: Provider, lease: Date): Promise<ProviderTokens> {
    try {
      return await provider.refresh(decrypt(row, 'refresh'), row)
    } catch (error) {
      const isRefused = error instanceof Problem && error.code === 'reauthorization_required'
      await tokens.releaseLease(id, lease, isRefused).catch((cause: unknown) => log.warn({ identity: id, err: cause }, 'lease of token refresh not released'))
      throw error
    }
  }

  // If the provider has rotated its refresh token, the old one is useless: so storing is tried several times. The caller
  // gets the access token in any case.
  async function store (id: string, row: TokenRow, refreshed: ProviderTokens, lease: Date): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (!await tokens.replace(id, lease, vault.encrypt(row, refreshed))) log.warn({ identity: id }, 'refreshed tokens not stored: lease expired')
        return
      } catch (error) {
        if (attempt === STORE_ATTEMPTS) return log.error({ identity: id, err: error }, 'refreshed tokens not stored')
        await setTimeout(MIN_PAUSE)
      }
    }
  }

  function decryptAccessToken (row: TokenRow): FreshProviderToken {
    return { accessToken: decrypt(row, 'access'), expiresAt: row.expiresAt, scope: row.scope }
  }

  function decrypt (row: TokenRow, kind: 'access' | 'refresh'): string {
    const encrypted = kind === 'access' ? row.accessToken : row.refreshToken
    const token = encrypted === null ? undefined : vault.decrypt(row, kind, encrypted)
    if (token === undefined) throw new Problem('reauthorization_required')
    return token
  }

  /**
   * Returns the access token of an identity, refreshed if it is stale.
   *
   * @throws Problem 404 when no tokens are stored, 409 `reauthorization_required` when the provider wants the user to sign in again
   */
  return async function getFreshProviderToken (identity: { id: string, userId: string }): Promise<FreshProviderToken> {
    const { row } = await find(identity)
    if (row.isFresh) return decryptAccessToken(row)
    const { id } = identity
    const token = pending.get(id) ?? refreshOnce(identity, row).finally(() => pending.delete(id))
    pending.set(id, token)
    return await token
  }
}
