import type { Revocation } from './types.ts'
import { createUuidTable, type TableEntry, type UuidTable } from './uuid-table.ts'

/** The ids of a token that can be revoked. */
export interface Revocable {
  readonly sessionId: string
  /** The id of the user or client. */
  readonly subject: string
  readonly version: number
}

/** A part of a set. */
export interface RevocationPiece {
  /** Pieces of the same layout and index are about the same ids, at different times. `undefined`: of nothing else. */
  readonly layout: object | undefined
  readonly index: number
  /** What is in it now. */
  read (): Revocation[]
}

export type RevocationSet = ReturnType<typeof createRevocationSet>

/**
 * All current revocations, in memory. Entries are merged and only removed when they expire, so they may arrive twice, late
 * or out of order.
 */
export function createRevocationSet () {
  const sessions = createUuidTable(false)
  const users = createUuidTable(true)
  const clients = createUuidTable(true)

  return {
    get size (): number { return sessions.size + users.size + clients.size },

    /** @returns whether it changed anything */
    add (revocation: Revocation): boolean {
      const { kind, id, expiresAt } = revocation
      if (kind === 'user') return users.merge(id, expiresAt, revocation.minVersion)
      if (kind === 'client') return clients.merge(id, expiresAt, revocation.minVersion ?? Infinity)
      return sessions.merge(id, expiresAt, 0)
    },

    has: ({ sessionId, subject, version }: Revocable): boolean =>
      sessions.has(sessionId) || version < users.version(subject) || version < clients.version(subject),

    /** Whether the session itself has ended; its user does not matter. */
    hasSession: sessions.has,

    /** Drops expired entries. @param now Unix seconds */
    prune (now: number): void {
      sessions.prune(now)
      users.prune(now)
      clients.prune(now)
    },

    /** Everything, piece by piece. What is added meanwhile may be missing; nothing else is, unless it has expired. */
    * pieces (): Generator<RevocationPiece> {
      yield * piecesOf(sessions, ({ id, expiresAt }) => ({ kind: 'session', id, expiresAt }))
      yield * piecesOf(users, ({ id, expiresAt, version }) => ({ kind: 'user', id, minVersion: version, expiresAt }))
      yield * piecesOf(clients, ({ id, expiresAt, version }) =>
        version === Infinity ? { kind: 'client', id, expiresAt } : { kind: 'client', id, minVersion: version, expiresAt })
    }
  }
}

function * piecesOf (table: UuidTable, toRevocation: (entry: TableEntry) => Revocation): Generator<RevocationPiece> {
  for (const { layout, index, read } of table.pieces()) yield { layout, index, read: () => read().map(toRevocation) }
}
