import { setTimeout } from 'node:timers/promises'
import type { Log } from '../../database/database.ts'
import { Problem } from '../../errors.ts'
import type { TokenVault } from './token-vault.ts'
import type { Provider, ProviderTokens } from '../provider.ts'
import { PROVIDER_TIMEOUT } from '../provider-fetch.ts'
import type { TokenRow, ProviderTokenStore } from './provider-token-store.ts'

/** An access token of a provider's, good for a while yet. */
export interface FreshProviderToken {
  accessToken: string
  expiresAt: Date | null
  scope: string | null
}

/** @throws Problem 404 where no tokens are kept, 409 `reauthorization_required` where the provider wants to see its user */
export type GetFreshProviderToken = (identity: { id: string, userId: string }) => Promise<FreshProviderToken>

export interface FreshProviderTokenDeps {
  tokens: ProviderTokenStore
  vault: TokenVault
  providers: ReadonlyMap<string, Provider>
  log: Log
}

// Seconds: beyond what it takes to ask a provider for its metadata, its keys, and twice for tokens, and to store them.
const TURN = 6 * PROVIDER_TIMEOUT
const PATIENCE = 8_000
const PAUSE = 50
const LONGEST_PAUSE = 500
const ATTEMPTS = 3

/**
 * Gives the owner of an identity its access token, refreshed when it is stale. Of many who ask at once, on whichever
 * instances, one refreshes and the others wait for what it gets: a provider that rotates its refresh tokens takes a
 * second use for theft.
 */
export function createGetFreshProviderToken ({ tokens, vault, providers, log }: FreshProviderTokenDeps): GetFreshProviderToken {
  const renewing = new Map<string, Promise<FreshProviderToken>>()

  return async function getLiveToken (identity) {
    const { row } = await find(identity)
    if (row.isFresh) return open(row)
    const { id } = identity
    const asking = renewing.get(id) ?? renew(identity, row).finally(() => renewing.delete(id))
    renewing.set(id, asking)
    return await asking
  }

  async function renew (identity: { id: string, userId: string }, stale: TokenRow): Promise<FreshProviderToken> {
    const until = performance.now() + PATIENCE
    for (let pause = PAUSE; performance.now() < until; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      const { row, provider } = await find(identity)
      // Somebody else got it, however short it may live.
      if (row.accessToken !== stale.accessToken) return open(row)
      if (row.refreshToken === null) throw new Problem('reauthorization_required')
      const taken = await tokens.take(identity.id, stale.accessToken, TURN)
      if (taken !== undefined) return await refresh(identity.id, row, provider, taken)
      await setTimeout(pause)
    }
    throw new Problem('provider_unavailable')
  }

  async function find (identity: { id: string, userId: string }): Promise<{ row: TokenRow, provider: Provider }> {
    const row = await tokens.find(identity)
    const provider = row && providers.get(row.provider)
    if (row === undefined || provider?.keepsTokens !== true) throw new Problem('not_found')
    return { row, provider }
  }

  async function refresh (id: string, row: TokenRow, provider: Provider, taken: Date): Promise<FreshProviderToken> {
    const fresh = await ask(id, row, provider, taken)
    await keep(id, row, fresh, taken)
    const { accessToken, expiresIn, scope } = fresh
    return { accessToken, expiresAt: expiresIn === null ? null : new Date(Date.now() + expiresIn * 1000), scope: scope ?? row.scope }
  }

  async function ask (id: string, row: TokenRow, provider: Provider, taken: Date): Promise<ProviderTokens> {
    try {
      return await provider.refresh(unlock(row, 'refresh'), row)
    } catch (error) {
      const isRefused = error instanceof Problem && error.code === 'reauthorization_required'
      await tokens.release(id, taken, isRefused).catch((cause: unknown) => log.warn({ identity: id, err: cause }, 'the turn to refresh could not be given back'))
      throw error
    }
  }

  // The provider may have rotated its refresh token: what it gave now is all there is, so it is worth several attempts.
  // Whoever asked gets the access token in any case.
  async function keep (id: string, row: TokenRow, fresh: ProviderTokens, taken: Date): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (!await tokens.replace(id, taken, vault.lock(row, fresh))) log.warn({ identity: id }, 'refreshed tokens came too late to be kept')
        return
      } catch (error) {
        if (attempt === ATTEMPTS) return log.error({ identity: id, err: error }, 'refreshed tokens could not be kept')
        await setTimeout(PAUSE)
      }
    }
  }

  function open (row: TokenRow): FreshProviderToken {
    return { accessToken: unlock(row, 'access'), expiresAt: row.expiresAt, scope: row.scope }
  }

  function unlock (row: TokenRow, kind: 'access' | 'refresh'): string {
    const encrypted = kind === 'access' ? row.accessToken : row.refreshToken
    const token = encrypted === null ? undefined : vault.unlock(row, kind, encrypted)
    if (token === undefined) throw new Problem('reauthorization_required')
    return token
  }
}
