import { createHash } from 'node:crypto'
import type { Database } from '../database/database.ts'
import { createPurge } from '../database/purge-statement.ts'

/** What secrets are good once for. */
export type OneTimePurpose = 'sign_in_flow' | 'id_token' | 'sign_in_code'

/** What a secret was kept with. */
export interface OneTimeSecret<Data> {
  userId: string
  data: Data
}

/** The queries of secrets that are good once. Only their hashes are kept. */
export interface OneTimeStore {
  /**
   * Marks a secret that was never stored as used up.
   *
   * @param life how long, in seconds, the mark is kept: as long as the secret would be taken
   * @returns whether it was not before
   */
  burn (purpose: OneTimePurpose, secret: string, life: number): Promise<boolean>
  /** Keeps a secret that is good once, within `life` seconds. */
  keep (purpose: OneTimePurpose, secret: string, kept: OneTimeSecret<object> & { life: number }): Promise<void>
  /**
   * Uses a secret up, if it was kept with what is expected of it.
   *
   * @returns `undefined` when it was used before, is too old, or never was
   */
  use<Data extends object> (purpose: OneTimePurpose, secret: string, expected: Partial<Data>): Promise<OneTimeSecret<Data> | undefined>
  /** Deletes at most `limit` that are over, if no other instance is at it. @returns how many */
  purge (limit: number): Promise<number>
}

const BURN = {
  name: 'one-time.burn',
  text: `
    INSERT INTO one_time_tokens (hash, purpose, expires_at, used_at) VALUES ($1::bytea, $2, now() + make_interval(secs => $3::float8), now())
    ON CONFLICT (hash) DO NOTHING RETURNING 1`
}

const KEEP = {
  name: 'one-time.keep',
  text: `
    INSERT INTO one_time_tokens (hash, purpose, user_id, data, expires_at)
    VALUES ($1::bytea, $2, $3::uuid, $4::jsonb, now() + make_interval(secs => $5::float8))`
}

const USE = {
  name: 'one-time.use',
  text: `
    UPDATE one_time_tokens SET used_at = now()
    WHERE hash = $1::bytea AND purpose = $2 AND used_at IS NULL AND expires_at > now() AND data @> $3::jsonb
    RETURNING user_id::text AS "userId", data`
}

const OVER = 'SELECT hash FROM one_time_tokens WHERE (SELECT turn FROM mine) AND expires_at < now() LIMIT $1'

export function createOneTimeStore ({ query }: Pick<Database, 'query'>): OneTimeStore {
  return {
    async burn (purpose, secret, life) {
      return (await query(BURN, [hashOf(purpose, secret), purpose, life])).length === 1
    },

    async keep (purpose, secret, { userId, data, life }) {
      await query(KEEP, [hashOf(purpose, secret), purpose, userId, JSON.stringify(data), life])
    },

    async use<Data extends object> (purpose: OneTimePurpose, secret: string, expected: Partial<Data>) {
      const [used] = await query<OneTimeSecret<Data>>(USE, [hashOf(purpose, secret), purpose, JSON.stringify(expected)])
      return used
    },

    purge: createPurge({ query }, { what: 'one-time', table: 'one_time_tokens', key: 'hash', over: OVER })
  }
}

// Of purpose and secret, so that none stands in the way of another's.
function hashOf (purpose: OneTimePurpose, secret: string): Buffer {
  return createHash('sha256').update(`${purpose}:${secret}`).digest()
}
