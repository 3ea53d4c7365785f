import { createUuidTable } from './uuid-table.ts'

/** One thing that was revoked. `expiresAt` is Unix seconds: after it no token can exist that the entry speaks of. */
export type Revocation =
  | { kind: 'session', id: string, expiresAt: number }
  | { kind: 'user', id: string, minVersion: number, expiresAt: number }
  | { kind: 'client', id: string, expiresAt: number }

/** What a token is known by to the revocation set. */
export interface Revocable {
  readonly sessionId: string
  /** A user's id, or a client's. */
  readonly subject: string
  readonly version: number
}

/**
 * All live revocations, in memory. It only merges: an entry leaves by its expiry alone, so entries may arrive twice,
 * late or out of order.
 */
export interface RevocationSet {
  /** @returns whether it told anything new */
  add (revocation: Revocation): boolean
  has (token: Revocable): boolean
  /** Whether the session itself has ended, whatever became of its user. */
  hasSession (sessionId: string): boolean
  /** Drops what has expired. @param now Unix seconds */
  prune (now: number): void
  readonly size: number
}

export function createRevocationSet (): RevocationSet {
  const sessions = createUuidTable(false)
  const users = createUuidTable(true)
  const clients = createUuidTable(false)

  return {
    get size () { return sessions.size + users.size + clients.size },

    add (revocation) {
      const { kind, id, expiresAt } = revocation
      if (kind === 'user') return users.merge(id, expiresAt, revocation.minVersion)
      return (kind === 'session' ? sessions : clients).merge(id, expiresAt, 0)
    },

    has: ({ sessionId, subject, version }) =>
      sessions.has(sessionId) || version < users.version(subject) || clients.has(subject),

    hasSession: sessions.has,

    prune (now) {
      sessions.prune(now)
      users.prune(now)
      clients.prune(now)
    }
  }
}
