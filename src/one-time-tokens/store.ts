import { createHash } from 'node:crypto'
import type { Database } from '../database/database.ts'
import { createPurgeBatch, purgeTimeSql } from '../database/purge-batch.ts'
import { statement } from '../database/statement.ts'

/** What a token may be used once for. */
export type OneTimeTokenPurpose = 'sign_in_flow' | 'id_token' | 'sign_in_code' | 'link_begun' | 'link_code' | 'restore'

/** What a token was issued with. */
export interface OneTimeToken<Data> {
  userId: string
  data: Data
}

export type OneTimeTokenStore = ReturnType<typeof createOneTimeTokenStore>

const MARK_USED = statement('one-time-tokens.mark-used', `
  INSERT INTO one_time_tokens (hash, purpose, expires_at, used_at)
  VALUES (:hash::bytea, :purpose, now() + make_interval(secs => :life::float8), now())
  ON CONFLICT (hash) DO NOTHING RETURNING 1`)

// From the account's row, for it may be deleted meanwhile: its foreign key would fail the statement.
const ISSUE = statement('one-time-tokens.issue', `
  INSERT INTO one_time_tokens (hash, purpose, user_id, data, expires_at)
  SELECT :hash::bytea, :purpose, id, :data::jsonb, now() + make_interval(secs => :life::float8) FROM users WHERE id = :userId::uuid FOR KEY SHARE
  RETURNING 1`)

const REDEEM = statement('one-time-tokens.redeem', `
  UPDATE one_time_tokens SET used_at = now()
  WHERE hash = :hash::bytea AND purpose = :purpose AND used_at IS NULL AND expires_at > now() AND data @> :expected::jsonb
  RETURNING user_id::text AS "userId", data`)

/** SQL: for so long a token is kept once it has expired: a link that is too old can be told from one that never was. */
export const KEPT_FOR = "interval '1 day'"
const EXPIRED = `SELECT hash FROM one_time_tokens WHERE (SELECT turn FROM mine) AND ${purgeTimeSql('expires_at')} < ${purgeTimeSql(`(now() - ${KEPT_FOR})`)} ORDER BY ${purgeTimeSql('expires_at')} LIMIT :limit`

/** Tokens that can be used once. Only their hashes are stored. */
export function createOneTimeTokenStore ({ query }: Pick<Database, 'query'>) {
  return {
    /**
     * Marks a token as used that was not issued here, such as a provider's ID token.
     *
     * @param life how long the mark is kept, in seconds: as long as the token would be accepted
     * @returns whether it was unused
     */
    async markUsed (purpose: OneTimeTokenPurpose, token: string, life: number): Promise<boolean> {
      return (await query(MARK_USED, { hash: hashOf(purpose, token), purpose, life })).length === 1
    },

    /** Stores a token that can be used once, within `life` seconds. @returns `false` where there is no such account any more */
    async issue (purpose: OneTimeTokenPurpose, token: string, { userId, data, life }: OneTimeToken<object> & { life: number }): Promise<boolean> {
      return (await query(ISSUE, { hash: hashOf(purpose, token), purpose, userId, data: JSON.stringify(data), life })).length === 1
    },

    /**
     * Uses up a token, if it was issued with the expected data.
     *
     * @returns `undefined` when it was used before, has expired, or was never issued
     */
    async redeem<Data extends object> (purpose: OneTimeTokenPurpose, token: string, expected: Partial<Data>): Promise<OneTimeToken<Data> | undefined> {
      const [redeemed] = await query<OneTimeToken<Data>>(REDEEM, { hash: hashOf(purpose, token), purpose, expected: JSON.stringify(expected) })
      return redeemed
    },

    purge: createPurgeBatch({ query }, { what: 'one-time', table: 'one_time_tokens', key: 'hash', expired: EXPIRED })
  }
}

/** @returns by what a token is stored. Of purpose and token: the same text for another purpose is another token */
export function hashOf (purpose: OneTimeTokenPurpose, token: string): Buffer {
  return createHash('sha256').update(`${purpose}:${token}`).digest()
}
