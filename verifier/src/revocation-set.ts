import type { Revocation } from './types.ts'
import { createUuidTable } from './uuid-table.ts'

/** The ids of a token that can be revoked. */
export interface Revocable {
  readonly sessionId: string
  /** The id of the user or client. */
  readonly subject: string
  readonly version: number
}

export type RevocationSet = ReturnType<typeof createRevocationSet>

/**
 * All current revocations, in memory. Entries are merged and only removed when they expire, so they may arrive twice, late
 * or out of order.
 */
export function createRevocationSet () {
  const sessions = createUuidTable(false)
  const users = createUuidTable(true)
  const clients = createUuidTable(false)

  return {
    get size (): number { return sessions.size + users.size + clients.size },

    /** @returns whether it changed anything */
    add (revocation: Revocation): boolean {
      const { kind, id, expiresAt } = revocation
      if (kind === 'user') return users.merge(id, expiresAt, revocation.minVersion)
      return (kind === 'session' ? sessions : clients).merge(id, expiresAt, 0)
    },

    has: ({ sessionId, subject, version }: Revocable): boolean =>
      sessions.has(sessionId) || version < users.version(subject) || clients.has(subject),

    /** Whether the session itself has ended; its user does not matter. */
    hasSession: sessions.has,

    /** Drops expired entries. @param now Unix seconds */
    prune (now: number): void {
      sessions.prune(now)
      users.prune(now)
      clients.prune(now)
    }
  }
}
