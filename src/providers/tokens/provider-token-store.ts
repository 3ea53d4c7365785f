import type { Database } from '../../database/database.ts'
import { statement } from '../../database/statement.ts'
import type { StoredTokens } from '../identities/identity-store.ts'

/** The stored tokens of an identity. */
export interface TokenRow {
  provider: string
  issuer: string
  subject: string
  /** Encrypted. */
  accessToken: string | null
  refreshToken: string | null
  scope: string | null
  expiresAt: Date | null
  /** Whether the access token lives long enough to be used. */
  isFresh: boolean
}

const FIND = statement('identities.find-tokens', `
  SELECT provider, issuer, subject, access_token AS "accessToken", refresh_token AS "refreshToken", token_scope AS scope, token_expires_at AS "expiresAt",
    (access_token IS NOT NULL AND (token_expires_at IS NULL OR token_expires_at > now() + interval '30 seconds')) AS "isFresh"
  FROM identities WHERE id = :id::uuid AND user_id = :userId::uuid`)

const ACQUIRE_LEASE = statement('identities.acquire-refresh-lease', `
  UPDATE identities SET refreshing_until = now() + make_interval(secs => :seconds::float8)
  WHERE id = :id::uuid AND access_token IS NOT DISTINCT FROM :staleToken::text AND (refreshing_until IS NULL OR refreshing_until < now())
  RETURNING refreshing_until AS "lease"`)

const REPLACE = statement('identities.replace-tokens', `
  UPDATE identities SET access_token = :accessToken, refresh_token = coalesce(:refreshToken, refresh_token),
    token_expires_at = now() + make_interval(secs => :expiresIn::float8), token_scope = coalesce(:scope, token_scope), refreshing_until = NULL
  WHERE id = :id::uuid AND refreshing_until = :lease::timestamptz
  RETURNING 1`)

const RELEASE_LEASE = statement('identities.release-refresh-lease', `
  UPDATE identities SET refreshing_until = NULL, refresh_token = CASE WHEN :deleteRefreshToken::boolean THEN NULL ELSE refresh_token END
  WHERE id = :id::uuid AND refreshing_until = :lease::timestamptz`)

export type ProviderTokenStore = ReturnType<typeof createProviderTokenStore>

/** The queries of providers' tokens. */
export function createProviderTokenStore ({ query }: Pick<Database, 'query'>) {
  return {
    async find ({ id, userId }: { id: string, userId: string }): Promise<TokenRow | undefined> {
      const [row] = await query<TokenRow>(FIND, { id, userId })
      return row
    },

    /**
     * Acquires the right to refresh an identity's tokens for some seconds, so that no refresh token is used twice at once
     * by several instances. No transaction is open meanwhile.
     *
     * @param staleToken the access token to be replaced
     * @returns the lease, by its end; `undefined` when another request holds it or has replaced the token
     */
    async acquireLease (id: string, staleToken: string | null, seconds: number): Promise<Date | undefined> {
      const [acquired] = await query<{ lease: Date }>(ACQUIRE_LEASE, { id, staleToken, seconds })
      return acquired?.lease
    },

    /** Stores refreshed tokens and releases the lease. Without a new refresh token, the old one stays. @returns `false` when the lease was lost */
    async replace (id: string, lease: Date, tokens: StoredTokens): Promise<boolean> {
      return (await query(REPLACE, { id, lease, ...tokens })).length === 1
    },

    /** @param deleteRefreshToken whether the provider refused the refresh token */
    async releaseLease (id: string, lease: Date, deleteRefreshToken: boolean): Promise<void> {
      await query(RELEASE_LEASE, { id, lease, deleteRefreshToken })
    }
  }
}
