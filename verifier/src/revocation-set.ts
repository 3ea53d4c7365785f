/** One thing that was revoked. `expiresAt` is Unix seconds: after it no token can exist that the entry speaks of. */
export type Revocation =
  | { kind: 'session', id: string, expiresAt: number }
  | { kind: 'user', id: string, minVersion: number, expiresAt: number }

/** What a token is known by to the revocation set. */
export interface Revocable {
  readonly sessionId: string
  readonly subject: string
  readonly version: number
}

/**
 * All live revocations, in memory. It only merges: an entry leaves by its expiry alone, so entries may arrive twice,
 * late or out of order.
 */
export interface RevocationSet {
  add (revocation: Revocation): void
  has (token: Revocable): boolean
  /** Whether the session itself has ended, whatever became of its user. */
  hasSession (sessionId: string): boolean
  /** Drops what has expired. @param now Unix seconds */
  prune (now: number): void
  readonly size: number
}

interface Threshold { minVersion: number, expiresAt: number }

export function createRevocationSet (): RevocationSet {
  const sessions = new Map<string, number>()
  const users = new Map<string, Threshold>()

  return {
    get size () { return sessions.size + users.size },

    add (revocation) {
      if (revocation.kind === 'session') {
        sessions.set(revocation.id, Math.max(revocation.expiresAt, sessions.get(revocation.id) ?? 0))
        return
      }
      const known = users.get(revocation.id)
      users.set(revocation.id, {
        minVersion: Math.max(revocation.minVersion, known?.minVersion ?? 0),
        expiresAt: Math.max(revocation.expiresAt, known?.expiresAt ?? 0)
      })
    },

    has ({ sessionId, subject, version }) {
      if (sessions.size !== 0 && sessions.has(sessionId)) return true
      if (users.size === 0) return false
      const threshold = users.get(subject)
      return threshold !== undefined && version < threshold.minVersion
    },

    hasSession: sessionId => sessions.has(sessionId),

    prune (now) {
      for (const [id, expiresAt] of sessions) if (expiresAt <= now) sessions.delete(id)
      for (const [id, { expiresAt }] of users) if (expiresAt <= now) users.delete(id)
    }
  }
}
