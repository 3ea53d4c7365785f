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

const NEXT = statement('identities.of-old-secrets', `
  SELECT id::text AS id, issuer, subject, access_token AS "accessToken", refresh_token AS "refreshToken"
  FROM identities WHERE id > :after::uuid AND ${IS_OLD} ORDER BY id LIMIT :limit`)

const REPLACE = statement('identities.reencrypt', `
  UPDATE identities SET
    access_token = CASE WHEN access_token = :oldAccessToken THEN :newAccessToken ELSE access_token END,
    refresh_token = CASE WHEN refresh_token = :oldRefreshToken THEN :newRefreshToken ELSE refresh_token END
  WHERE id = :id::uuid`)

const COUNT = statement('identities.count-of-old-secrets', `
  SELECT (SELECT count(*)::int FROM identities WHERE ${IS_OLD}) AS identities,
    (SELECT count(*)::int FROM sessions WHERE key_id <> :keyId AND channel <> 'session' AND ${isLiveSql()}) AS sessions`)

export type ReencryptStore = ReturnType<typeof createReencryptStore>

/** The queries of re-encrypting. */
export function createReencryptStore ({ query }: Pick<Database, 'query'>) {
  return {
    /** Identities after an id, in the order of their ids, with tokens under another key. */
    next: (keyId: string, after: string, limit: number): Promise<OldTokens[]> => query<OldTokens>(NEXT, { keyId, after, limit }),

    /** Replaces the tokens that are still the old ones. */
    async replace ({ id, from, to }: Reencrypted): Promise<void> {
      await query(REPLACE, { id, oldAccessToken: from.accessToken, newAccessToken: to.accessToken, oldRefreshToken: from.refreshToken, newRefreshToken: to.refreshToken })
    },

    async count (keyId: string): Promise<OldSecretCount> {
      const [count] = await query<OldSecretCount>(COUNT, { keyId })
      return count ?? { identities: 0, sessions: 0 }
    }
  }
}
