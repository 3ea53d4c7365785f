import { createHash } from 'node:crypto'
import type { Database } from '../database/database.ts'
import { createPurgeBatch } from '../database/purge-batch.ts'

/** What secrets are good once for. */
export type OneTimeTokenPurpose = 'sign_in_flow' | 'id_token' | 'sign_in_code' | 'link_begun' | 'link_code'

/** What a secret was kept with. */
export interface OneTimeToken<Data> {
  userId: string
  data: Data
}

/** The queries of secrets that are good once. Only their hashes are kept. */
export interface OneTimeTokenStore {
  /**
   * Marks a secret that was never stored as used up.
   *
   * @param life how long, in seconds, the mark is kept: as long as the secret would be taken
   * @returns whether it was not before
   */
  markUsed (purpose: OneTimeTokenPurpose, secret: string, life: number): Promise<boolean>
  /** Keeps a secret that is good once, within `life` seconds. */
  issue (purpose: OneTimeTokenPurpose, secret: string, kept: OneTimeToken<object> & { life: number }): Promise<void>
  /**
   * Uses a secret up, if it was kept with what is expected of it.
   *
   * @returns `undefined` when it was used before, is too old, or never was
   */
  redeem<Data extends object> (purpose: OneTimeTokenPurpose, secret: string, expected: Partial<Data>): Promise<OneTimeToken<Data> | undefined>
  /** Deletes at most `limit` that are over, if no other instance is at it. @returns how many */
  purge (limit: number): Promise<number>
}

const MARK_USED = {
  name: 'one-time-tokens.mark-used',
  text: `
    INSERT INTO one_time_tokens (hash, purpose, expires_at, used_at) VALUES ($1::bytea, $2, now() + make_interval(secs => $3::float8), now())
    ON CONFLICT (hash) DO NOTHING RETURNING 1`
}

const ISSUE = {
  name: 'one-time-tokens.issue',
  text: `
    INSERT INTO one_time_tokens (hash, purpose, user_id, data, expires_at)
    VALUES ($1::bytea, $2, $3::uuid, $4::jsonb, now() + make_interval(secs => $5::float8))`
}

const REDEEM = {
  name: 'one-time-tokens.redeem',
  text: `
    UPDATE one_time_tokens SET used_at = now()
    WHERE hash = $1::bytea AND purpose = $2 AND used_at IS NULL AND expires_at > now() AND data @> $3::jsonb
    RETURNING user_id::text AS "userId", data`
}

const OVER = 'SELECT hash FROM one_time_tokens WHERE (SELECT turn FROM mine) AND expires_at < now() LIMIT $1'

export function createOneTimeTokenStore ({ query }: Pick<Database, 'query'>): OneTimeTokenStore {
  return {
    async markUsed (purpose, secret, life) {
      return (await query(MARK_USED, [hashOf(purpose, secret), purpose, life])).length === 1
    },

    async issue (purpose, secret, { userId, data, life }) {
      await query(ISSUE, [hashOf(purpose, secret), purpose, userId, JSON.stringify(data), life])
    },

    async redeem<Data extends object> (purpose: OneTimeTokenPurpose, secret: string, expected: Partial<Data>) {
      const [used] = await query<OneTimeToken<Data>>(REDEEM, [hashOf(purpose, secret), purpose, JSON.stringify(expected)])
      return used
    },

    purge: createPurgeBatch({ query }, { what: 'one-time', table: 'one_time_tokens', key: 'hash', over: OVER })
  }
}

// Of purpose and secret, so that none stands in the way of another's.
function hashOf (purpose: OneTimeTokenPurpose, secret: string): Buffer {
  return createHash('sha256').update(`${purpose}:${secret}`).digest()
}
