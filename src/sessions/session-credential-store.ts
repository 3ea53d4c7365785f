import type { Database } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import type { SessionCredential } from './session-credential.ts'
import { REPEAT_WINDOW } from './refresh-token.ts'
import { authenticatedAtSql, isGoodSql, secondsSql, sessionAccountSql, type SessionAccount } from './session-sql.ts'

/** A live session, and its account. */
export interface LiveSession extends SessionAccount {
  sessionId: string
  /** Seconds since its owner last authenticated. */
  authenticatedAgo: number
}

export type SessionCredentialStore = ReturnType<typeof createSessionCredentialStore>

const FIND = `
  SELECT ${sessionAccountSql('u', 's')}, s.id::text AS "sessionId", ${secondsSql(`now() - ${authenticatedAtSql('s')}`)} AS "authenticatedAgo"
  FROM sessions s JOIN users u ON u.id = s.user_id
  WHERE ${isGoodSql('s', 'u')}`

const FIND_BY_TOKEN = statement('sessions.find-by-token', `
  ${FIND} AND s.id = :sessionId::uuid AND s.channel = :channel::channel AND s.nonce = :nonce::bytea AND s.generation = :generation::int`)

const FIND_BY_RECENT_TOKEN = statement('sessions.find-by-recent-token', `
  ${FIND} AND s.id = :sessionId::uuid AND s.channel = :channel::channel AND s.nonce = :nonce::bytea
    AND (s.generation = :generation::int OR (s.generation = :generation + 1 AND s.rotated_at > now() - make_interval(secs => :window::float8)))`)

const FIND_BY_SECRET = statement('sessions.find-by-secret', `
  ${FIND} AND s.secret_hash = :secretHash::bytea AND s.channel = 'session'`)

export function createSessionCredentialStore ({ query }: Pick<Database, 'query'>) {
  return {
    /** Only reads: a credential that is not the session's present one neither rotates nor ends it. */
    async find (credential: SessionCredential): Promise<LiveSession | undefined> {
      const [session] = await query<LiveSession>(credential.channel === 'session' ? FIND_BY_SECRET : FIND_BY_TOKEN, credential)
      return session
    },

    /** The same, also by the refresh token before the present one, for as long as it would get the same successor. */
    async findRecent (credential: SessionCredential): Promise<LiveSession | undefined> {
      const [session] = credential.channel === 'session'
        ? await query<LiveSession>(FIND_BY_SECRET, credential)
        : await query<LiveSession>(FIND_BY_RECENT_TOKEN, { ...credential, window: REPEAT_WINDOW })
      return session
    }
  }
}
