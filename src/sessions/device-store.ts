import type { Database } from '../database/database.ts'

/** A session as its owner sees it. */
export type ListedSession = Awaited<ReturnType<DeviceStore['list']>>[number]

/** The queries of a user's own sessions. */
export type DeviceStore = ReturnType<typeof createDeviceStore>

const LIVE = {
  name: 'sessions.live-of-user',
  text: `
    SELECT id, channel::text AS channel, ip, user_agent AS "userAgent", created_at AS "createdAt", last_seen_at AS "lastSeenAt", idle_ends_at AS "idleEndsAt"
    FROM sessions WHERE user_id = $1::uuid AND ended_at IS NULL AND idle_ends_at > now() AND ends_at > now()
    ORDER BY last_seen_at DESC, id DESC`
}

interface Row {
  id: string
  channel: 'body' | 'cookie' | 'session'
  ip: string | null
  userAgent: string | null
  createdAt: Date
  lastSeenAt: Date
  idleEndsAt: Date
}

export function createDeviceStore ({ query }: Pick<Database, 'query'>) {
  return {
    /** A user's live sessions, the last used first. */
    list: (userId: string): Promise<Row[]> => query<Row>(LIVE, [userId])
  }
}
