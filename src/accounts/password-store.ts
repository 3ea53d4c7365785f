import type { Revocation } from 'countersign-verifier/internal'
import { recordAudit } from '../audit/store.ts'
import type { Database, DbTransaction } from '../database/database.ts'
import { bindValues, statement } from '../database/statement.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { collapseSessions, recordRevocation } from '../revocation/ledger-writer.ts'
import { endSessions, raiseVersion } from '../sessions/end-session-store.ts'
import type { RenewedSession } from '../sessions/renew-session.ts'
import type { SessionCredential } from '../sessions/session-credential.ts'
import { isGoodSql, sessionAccountSql } from '../sessions/session-sql.ts'

/** A new password for an account, and a new credential for the session that sets it. */
export interface PasswordReplacement {
  userId: string
  sessionId: string
  /** Hashes; `from` is `null` where there is no password yet. */
  from: string | null
  to: string
  /** The session's present credential. */
  credential: SessionCredential
  /** The session's credential from then on, made with the key of the ring that `keyId` names. */
  newCredential: SessionCredential
  keyId: string
}

export type PasswordStore = ReturnType<typeof createPasswordStore>

// The account is locked before its sessions, as by everything that changes both. The generation may have risen since the
// credential was shown: a refresh while the password was hashed changes nothing about whose session it is.
const LOCK = statement('accounts.lock-with-session', `
  SELECT 1 FROM users u JOIN sessions s ON s.user_id = u.id
  WHERE u.id = :userId::uuid AND u.password_hash IS NOT DISTINCT FROM :from::text AND s.id = :sessionId::uuid AND s.channel = :channel::channel
    AND s.nonce = coalesce(:nonce::bytea, s.nonce) AND s.secret_hash IS NOT DISTINCT FROM :secretHash::bytea
    AND ${isGoodSql('s', 'u')}
  FOR NO KEY UPDATE OF u, s`)

const RENEW = statement('sessions.renew', `
  UPDATE sessions s SET nonce = coalesce(:nonce::bytea, s.nonce), secret_hash = :secretHash::bytea, key_id = :keyId, generation = 0, rotated_at = NULL, attempt_hash = NULL, last_seen_at = now()
  FROM users u WHERE s.id = :sessionId::uuid AND u.id = s.user_id
  RETURNING ${sessionAccountSql('u', 's')}, s.id::text AS "sessionId"`)

export function createPasswordStore ({ prisma }: Pick<Database, 'prisma'>) {
  return {
    /**
     * Sets a password, renews the session that did it and ends all others: if the old hash and the session's credential are
     * unchanged. Every access token from before is revoked.
     */
    replace: ({ userId, sessionId, from, to, credential, newCredential, keyId }: PasswordReplacement, client: ClientInfo): Promise<RenewedSession & { revocations: Revocation[] } | undefined> => prisma.$transaction(async tx => {
      const locked = await tx.$queryRawUnsafe<unknown[]>(LOCK.text, ...bindValues(LOCK, { userId, from, sessionId, channel: credential.channel, ...columnsOf(credential) }))
      if (locked.length === 0) return undefined
      await tx.user.update({ where: { id: userId }, data: { passwordHash: to } })
      const ended = await endSessions(tx, userId, 'password_change', sessionId)
      await recordAudit(tx, { action: 'password_change', outcome: 'success', actorId: userId, subjectId: userId, sessionId, ...client })
      const revocations = [...await recordEnded(tx, userId, ended), ...await raiseVersion(tx, userId)]
      const [session] = await tx.$queryRawUnsafe<Array<RenewedSession['session']>>(RENEW.text, ...bindValues(RENEW, { sessionId, keyId, ...columnsOf(newCredential) }))
      if (session === undefined) throw new Error('A locked session is missing')
      return { session, credential: newCredential, revocations }
    })
  }
}

// The revocation of the user that follows covers their tokens too; but only these say that the sessions have ended.
async function recordEnded (tx: DbTransaction, userId: string, ended: readonly string[]): Promise<Revocation[]> {
  if (await collapseSessions(tx, userId, ended.length)) return []
  const revocations: Revocation[] = []
  for (const id of ended) revocations.push(...await recordRevocation(tx, { kind: 'session', subject: id, userId }))
  return revocations
}

function columnsOf (credential: SessionCredential): { nonce: Uint8Array | null, secretHash: Uint8Array | null } {
  if (credential.channel === 'session') return { nonce: null, secretHash: Uint8Array.from(credential.secretHash) }
  return { nonce: Uint8Array.from(credential.nonce), secretHash: null }
}
