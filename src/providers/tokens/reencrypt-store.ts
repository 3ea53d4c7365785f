import type { Database } from '../../database/database.ts'
import { statement } from '../../database/statement.ts'
import { isLiveSql } from '../../sessions/session-sql.ts'

/** An identity with tokens that an older secret encrypted. */
export interface OldTokens {
  id: string
  issuer: string
  subject: string
  accessToken: string | null
  refreshToken: string | null
}

/** The tokens of an identity, before and after. */
export interface Reencrypted extends Pick<OldTokens, 'id'> {
  from: Pick<OldTokens, 'accessToken' | 'refreshToken'>
  to: Pick<OldTokens, 'accessToken' | 'refreshToken'>
}

/** How many rows depend on a secret other than the current one. */
export interface OldSecretCount {
  identities: number
  /** Their refresh tokens are replaced when they are used, and expire otherwise. */
  sessions: number
}

const IS_OLD = "(split_part(access_token, '.', 1) <> :keyId OR split_part(refresh_token, '.', 1) <> :keyId)"

const [FIRST, BATCH] = ['00000000-0000-0000-0000-000000000000', 1_000]

// A batch is as many rows as are read: none takes longer than another, however few need an old secret.
const NEXT = statement('identities.of-old-secrets', `
  SELECT id::text AS id, issuer, subject, access_token AS "accessToken", refresh_token AS "refreshToken", coalesce(${IS_OLD}, false) AS "isOld"
  FROM identities WHERE id > :after::uuid ORDER BY identities.id LIMIT ${BATCH}`)

const REPLACE = statement('identities.reencrypt', `
  UPDATE identities SET
    access_token = CASE WHEN access_token = :oldAccessToken THEN :newAccessToken ELSE access_token END,
    refresh_token = CASE WHEN refresh_token = :oldRefreshToken THEN :newRefreshToken ELSE refresh_token END
  WHERE id = :id::uuid`)

const COUNT_SESSIONS = statement('sessions.count-of-old-secrets', `
  WITH batch AS MATERIALIZED (SELECT * FROM sessions WHERE id > :after::uuid ORDER BY id LIMIT ${BATCH})
  SELECT (SELECT count(*)::int FROM batch WHERE key_id <> :keyId AND channel <> 'session' AND ${isLiveSql('batch')}) AS count,
    (SELECT id::text FROM batch ORDER BY batch.id DESC LIMIT 1) AS last`)

export type ReencryptStore = ReturnType<typeof createReencryptStore>

/** The queries of re-encrypting. */
export function createReencryptStore ({ query }: Pick<Database, 'query'>) {
  async function * old (keyId: string): AsyncGenerator<OldTokens> {
    for (let after: string | undefined = FIRST; after !== undefined;) {
      const batch: Array<OldTokens & { isOld: boolean }> = await query(NEXT, { keyId, after })
      for (const { isOld, ...tokens } of batch) if (isOld) yield tokens
      after = batch.at(-1)?.id
    }
  }

  async function countSessions (keyId: string): Promise<number> {
    let total = 0
    for (let after: string | null = FIRST; after !== null;) {
      const found: Array<{ count: number, last: string | null }> = await query(COUNT_SESSIONS, { keyId, after })
      total += found[0]?.count ?? 0
      after = found[0]?.last ?? null
    }
    return total
  }

  return {
    /** All identities with tokens under another key, in the order of their ids. */
    old,

    /** Replaces the tokens that are still the old ones. */
    async replace ({ id, from, to }: Reencrypted): Promise<void> {
      await query(REPLACE, { id, oldAccessToken: from.accessToken, newAccessToken: to.accessToken, oldRefreshToken: from.refreshToken, newRefreshToken: to.refreshToken })
    },

    async count (keyId: string): Promise<OldSecretCount> {
      let identities = 0
      const left = old(keyId)
      while ((await left.next()).done !== true) identities++
      return { identities, sessions: await countSessions(keyId) }
    }
  }
}
