import { setTimeout } from 'node:timers/promises'
import { Problem } from '../errors.ts'
import type { TokenVault } from './kept-tokens.ts'
import type { Provider } from './provider.ts'
import { PROVIDER_TIMEOUT } from './provider-fetch.ts'
import type { TokenRow, TokenStore } from './token-store.ts'

/** An access token of a provider's, good for a while yet. */
export interface LiveToken {
  accessToken: string
  expiresAt: Date | null
  scope: string | null
}

/** @throws Problem 404 where no tokens are kept, 409 `reauthorization_required` where the provider wants to see its user */
export type GetLiveToken = (identity: { id: string, userId: string }) => Promise<LiveToken>

/** What handing out tokens takes. */
export interface LiveTokenParts {
  tokens: TokenStore
  vault: TokenVault
  providers: ReadonlyMap<string, Provider>
}

// Seconds: beyond what it takes to ask a provider for its metadata, and twice for tokens.
const TURN = 4 * PROVIDER_TIMEOUT
const PATIENCE = 8_000
const PAUSE = 50

/**
 * Gives the owner of an identity its access token, refreshed when it is stale. Of many who ask at once, on whichever
 * instances, one refreshes and the others wait for what it gets: a provider that rotates its refresh tokens takes a
 * second use for theft.
 */
export function createGetLiveToken ({ tokens, vault, providers }: LiveTokenParts): GetLiveToken {
  return async function getLiveToken (identity) {
    const { row: stale, provider } = await find(identity)
    if (stale.isFresh) return open(stale)
    const until = performance.now() + PATIENCE
    while (performance.now() < until) {
      const { row } = await find(identity)
      // Somebody else got it, however short it may live.
      if (row.accessToken !== stale.accessToken) return open(row)
      if (row.refreshToken === null) throw new Problem('reauthorization_required')
      const taken = await tokens.take(identity.id, stale.accessToken, TURN)
      if (taken !== undefined) return await refresh(identity.id, row, provider, taken)
      await setTimeout(PAUSE)
    }
    throw new Problem('provider_unavailable')
  }

  async function find (identity: { id: string, userId: string }): Promise<{ row: TokenRow, provider: Provider }> {
    const row = await tokens.find(identity)
    const provider = row && providers.get(row.provider)
    if (row === undefined || provider?.keepsTokens !== true) throw new Problem('not_found')
    return { row, provider }
  }

  async function refresh (id: string, row: TokenRow, provider: Provider, taken: Date): Promise<LiveToken> {
    try {
      const fresh = await provider.refresh(unlock(row, 'refresh'))
      await tokens.replace(id, taken, vault.lock(row, fresh))
      const { accessToken, expiresIn, scope } = fresh
      return { accessToken, expiresAt: expiresIn === null ? null : new Date(Date.now() + expiresIn * 1000), scope: scope ?? row.scope }
    } catch (error) {
      const isRefused = error instanceof Problem && error.code === 'reauthorization_required'
      await tokens.release(id, taken, isRefused)
      throw error
    }
  }

  function open (row: TokenRow): LiveToken {
    return { accessToken: unlock(row, 'access'), expiresAt: row.expiresAt, scope: row.scope }
  }

  function unlock (row: TokenRow, kind: 'access' | 'refresh'): string {
    const encrypted = kind === 'access' ? row.accessToken : row.refreshToken
    const token = encrypted === null ? undefined : vault.unlock(row, kind, encrypted)
    if (token === undefined) throw new Problem('reauthorization_required')
    return token
  }
}
