import type { Database } from '../../database/database.ts'
import type { StoredTokens } from '../identities/identity-store.ts'

/** The tokens of an identity, as they are kept. */
export interface TokenRow {
  provider: string
  issuer: string
  subject: string
  /** Encrypted. */
  accessToken: string | null
  refreshToken: string | null
  scope: string | null
  expiresAt: Date | null
  /** Whether the access token is good for a while yet. */
  isFresh: boolean
}

/** The queries of a provider's tokens. */
export interface ProviderTokenStore {
  find (identity: { id: string, userId: string }): Promise<TokenRow | undefined>
  /**
   * Takes the refreshing of stale tokens for this instance alone, for some seconds, so that one refresh token is never
   * used twice at once. No transaction is held meanwhile.
   *
   * @param stale the access token that was found to be
   * @returns when the right to it ends, `undefined` where somebody else has it or was quicker
   */
  take (id: string, stale: string | null, seconds: number): Promise<Date | undefined>
  /** Stores what a refresh gave. A refresh token that was not replaced stays. @returns `false` where the right to it was lost */
  replace (id: string, taken: Date, tokens: StoredTokens): Promise<boolean>
  /** Gives the right back. @param forget whether the refresh token was found to be of no use */
  release (id: string, taken: Date, forget: boolean): Promise<void>
}

// So that whoever is given a token has time to use it.
const FRESH = "(access_token IS NOT NULL AND (token_expires_at IS NULL OR token_expires_at > now() + interval '30 seconds'))"

const FIND = {
  name: 'identities.find-tokens',
  text: `
    SELECT provider, issuer, subject, access_token AS "accessToken", refresh_token AS "refreshToken", token_scope AS scope,
      token_expires_at AS "expiresAt", ${FRESH} AS "isFresh"
    FROM identities WHERE id = $1::uuid AND user_id = $2::uuid`
}

const TAKE = {
  name: 'identities.take-refresh',
  text: `
    UPDATE identities SET refreshing_until = now() + make_interval(secs => $3::float8)
    WHERE id = $1::uuid AND access_token IS NOT DISTINCT FROM $2::text AND (refreshing_until IS NULL OR refreshing_until < now())
    RETURNING refreshing_until AS "until"`
}

const REPLACE = {
  name: 'identities.replace-tokens',
  text: `
    UPDATE identities SET access_token = $3, refresh_token = coalesce($4, refresh_token), token_expires_at = now() + make_interval(secs => $5::float8),
      token_scope = coalesce($6, token_scope), refreshing_until = NULL
    WHERE id = $1::uuid AND refreshing_until = $2::timestamptz
    RETURNING 1`
}

const RELEASE = {
  name: 'identities.release-refresh',
  text: `
    UPDATE identities SET refreshing_until = NULL, refresh_token = CASE WHEN $3::boolean THEN NULL ELSE refresh_token END
    WHERE id = $1::uuid AND refreshing_until = $2::timestamptz`
}

export function createProviderTokenStore ({ query }: Pick<Database, 'query'>): ProviderTokenStore {
  return {
    async find ({ id, userId }) {
      const [row] = await query<TokenRow>(FIND, [id, userId])
      return row
    },

    async take (id, stale, seconds) {
      const [taken] = await query<{ until: Date }>(TAKE, [id, stale, seconds])
      return taken?.until
    },

    async replace (id, taken, { accessToken, refreshToken, expiresIn, scope }) {
      return (await query(REPLACE, [id, taken, accessToken, refreshToken, expiresIn, scope])).length === 1
    },

    async release (id, taken, forget) {
      await query(RELEASE, [id, taken, forget])
    }
  }
}
