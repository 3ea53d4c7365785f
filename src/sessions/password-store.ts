import type { Revocation } from 'countersign-verifier/internal'
import { recordAudit } from '../audit/store.ts'
import type { Database, DbTransaction } from '../database/database.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { collapseSessions, recordRevocation } from '../revocation/ledger-writer.ts'
import { isGoodSql } from './session-sql.ts'
import type { Renewed } from './renew-session.ts'
import type { SessionCredential } from './session-credential.ts'
import { endSessions, raiseVersion } from './standing-store.ts'
import { accountColumns, type SessionAccount } from './open-session-store.ts'

/** Another password for an account, and other credentials for the session that sets it. */
export interface PasswordReplacement {
  userId: string
  sessionId: string
  /** Hashes; `null` where there is no password yet. */
  from: string | null
  to: string
  /** What the session is held by now. */
  held: SessionCredential
  /** What it is held by from then on, made with the key of the ring that `keyId` names. */
  next: SessionCredential
  keyId: string
}

/** The query of setting a password. */
export interface PasswordStore {
  /**
   * Sets a password, renews the session that asked and ends all others: if the old hash and the session's credential
   * still stand. Whatever was given out before is refused at once.
   */
  replace (replacement: PasswordReplacement, by: ClientInfo): Promise<Renewed & { revocations: Revocation[] } | undefined>
}

// The account before its sessions, as everybody locks who changes both.
const LOCK = `
  SELECT 1 FROM users u JOIN sessions s ON s.user_id = u.id
  WHERE u.id = $1::uuid AND u.password_hash IS NOT DISTINCT FROM $2::text AND s.id = $3::uuid AND s.channel = $4::channel
    AND s.nonce = coalesce($5::bytea, s.nonce) AND s.generation = coalesce($6::int, s.generation) AND s.secret_hash IS NOT DISTINCT FROM $7::bytea
    AND ${isGoodSql('s', 'u')}
  FOR NO KEY UPDATE OF u, s`

const RENEW = `
  UPDATE sessions s SET nonce = coalesce($2::bytea, s.nonce), secret_hash = $3::bytea, key_id = $4, generation = 0, rotated_at = NULL, attempt_hash = NULL, last_seen_at = now()
  FROM users u WHERE s.id = $1::uuid AND u.id = s.user_id
  RETURNING ${accountColumns('u')}, s.id::text AS "sessionId", extract(epoch FROM s.ends_at)::float8 AS "endsAt"`

export function createPasswordStore ({ prisma }: Pick<Database, 'prisma'>): PasswordStore {
  return {
    replace: ({ userId, sessionId, from, to, held, next, keyId }, client) => prisma.$transaction(async tx => {
      const { nonce, generation, secretHash } = columnsOf(held)
      const locked = await tx.$queryRawUnsafe<unknown[]>(LOCK, userId, from, sessionId, held.channel, nonce, generation, secretHash)
      if (locked.length === 0) return undefined
      await tx.user.update({ where: { id: userId }, data: { passwordHash: to } })
      const ended = await endSessions(tx, userId, 'password_change', sessionId)
      await recordAudit(tx, { action: 'password_change', outcome: 'success', actorId: userId, subjectId: userId, sessionId, ...client })
      const revocations = [...await noteEnded(tx, userId, ended), ...await raiseVersion(tx, userId)]
      const renewal = columnsOf(next)
      const [session] = await tx.$queryRawUnsafe<Array<SessionAccount & { sessionId: string }>>(RENEW, sessionId, renewal.nonce, renewal.secretHash, keyId)
      if (session === undefined) throw new Error('A locked session is gone')
      return { session, credential: next, revocations }
    })
  }
}

// The row for the user that follows refuses their tokens too; but by these the sessions are known to have ended.
async function noteEnded (tx: DbTransaction, userId: string, ended: readonly string[]): Promise<Revocation[]> {
  if (await collapseSessions(tx, userId, ended.length)) return []
  const noted: Revocation[] = []
  for (const id of ended) noted.push(...await recordRevocation(tx, { kind: 'session', subject: id, userId }))
  return noted
}

function columnsOf (credential: SessionCredential): { nonce: Uint8Array | null, generation: number | null, secretHash: Uint8Array | null } {
  if (credential.channel === 'session') return { nonce: null, generation: null, secretHash: Uint8Array.from(credential.secretHash) }
  return { nonce: Uint8Array.from(credential.nonce), generation: credential.generation, secretHash: null }
}
