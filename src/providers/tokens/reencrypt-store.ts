import type { Database } from '../../database/database.ts'
import { isLiveSql } from '../../sessions/session-sql.ts'

/** An identity with tokens that an older secret encrypted. */
export interface OldTokens {
  id: string
  issuer: string
  subject: string
  accessToken: string | null
  refreshToken: string | null
}

/** The tokens of an identity, as they were and as they are to be. */
export interface Reencrypted extends Pick<OldTokens, 'id'> {
  from: Pick<OldTokens, 'accessToken' | 'refreshToken'>
  to: Pick<OldTokens, 'accessToken' | 'refreshToken'>
}

/** How many rows depend on a secret that is not the current one. */
export interface OldSecretCount {
  identities: number
  /** Their refresh tokens are replaced when they are used, and expire otherwise. */
  sessions: number
}

/** The queries of leaving a secret behind. */
export interface ReencryptStore {
  /** Identities after one, in the order of their ids, whose tokens are of another key. */
  next (keyId: string, after: string, limit: number): Promise<OldTokens[]>
  /** Replaces those tokens that nobody has replaced meanwhile. */
  replace (tokens: Reencrypted): Promise<void>
  count (keyId: string): Promise<OldSecretCount>
}

const IS_OLD = "(split_part(access_token, '.', 1) <> $1 OR split_part(refresh_token, '.', 1) <> $1)"

const NEXT = {
  name: 'identities.of-old-secrets',
  text: `
    SELECT id::text AS id, issuer, subject, access_token AS "accessToken", refresh_token AS "refreshToken"
    FROM identities WHERE id > $2::uuid AND ${IS_OLD} ORDER BY id LIMIT $3`
}

const REPLACE = {
  name: 'identities.reencrypt',
  text: `
    UPDATE identities SET
      access_token = CASE WHEN access_token = $2 THEN $3 ELSE access_token END,
      refresh_token = CASE WHEN refresh_token = $4 THEN $5 ELSE refresh_token END
    WHERE id = $1::uuid`
}

const COUNT = {
  name: 'identities.count-of-old-secrets',
  text: `
    SELECT (SELECT count(*)::int FROM identities WHERE ${IS_OLD}) AS identities,
      (SELECT count(*)::int FROM sessions
        WHERE key_id <> $1 AND channel <> 'session' AND ${isLiveSql()}) AS sessions`
}

export function createReencryptStore ({ query }: Pick<Database, 'query'>): ReencryptStore {
  return {
    next: (keyId, after, limit) => query<OldTokens>(NEXT, [keyId, after, limit]),

    async replace ({ id, from, to }) {
      await query(REPLACE, [id, from.accessToken, to.accessToken, from.refreshToken, to.refreshToken])
    },

    async count (keyId) {
      const [count] = await query<OldSecretCount>(COUNT, [keyId])
      return count ?? { identities: 0, sessions: 0 }
    }
  }
}
