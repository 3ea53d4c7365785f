import type { Database } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import { isLiveSql } from './session-sql.ts'
import type { Channel } from './open-session-store.ts'

/** A session as its owner sees it. */
export interface ListedSession {
  id: string
  channel: Channel
  ip: string | null
  userAgent: string | null
  createdAt: Date
  lastSeenAt: Date
  idleEndsAt: Date
}

export type SessionListStore = ReturnType<typeof createSessionListStore>

const LIST = statement('sessions.list', `
  SELECT id, channel::text AS channel, ip, user_agent AS "userAgent", created_at AS "createdAt", last_seen_at AS "lastSeenAt", idle_ends_at AS "idleEndsAt"
  FROM sessions WHERE user_id = :userId::uuid AND ${isLiveSql()}
  ORDER BY last_seen_at DESC, id DESC`)

export function createSessionListStore ({ query }: Pick<Database, 'query'>) {
  return {
    /** Lists a user's live sessions, the last used first. */
    list: (userId: string) => query<ListedSession>(LIST, { userId })
  }
}
