import type { Revocation } from 'countersign-verifier/internal'
import { recordAudit } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { bindValues, statement } from '../database/statement.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { enqueue, type OutboxRow } from '../outbox/enqueue.ts'
import { endSessions, raiseVersion, recordEnded } from '../sessions/end-session-store.ts'
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
  /** To the owner. */
  notice: OutboxRow
}

export type PasswordStore = ReturnType<typeof createPasswordStore>

// The account is locked before its sessions, as by everything that changes both. The generation may have risen since the
// credential was shown: a refresh while the password was hashed changes nothing about whose session it is.
const LOCK = statement('accounts.lock-with-session', `
  SELECT u.password_hash AS "passwordHash" FROM users u JOIN sessions s ON s.user_id = u.id
  WHERE u.id = :userId::uuid AND s.id = :sessionId::uuid AND s.channel = :channel::channel
    AND s.nonce = coalesce(:nonce::bytea, s.nonce) AND s.secret_hash IS NOT DISTINCT FROM :secretHash::bytea
    AND ${isGoodSql('s', 'u')}
  FOR NO KEY UPDATE OF u, s`)

const RENEW = statement('sessions.renew', `
  UPDATE sessions s SET former_credential = coalesce(s.secret_hash, s.nonce), nonce = coalesce(:nonce::bytea, s.nonce), secret_hash = :secretHash::bytea, key_id = :keyId, generation = 0, rotated_at = NULL, attempt_hash = NULL, last_seen_at = now()
  FROM users u WHERE s.id = :sessionId::uuid AND u.id = s.user_id
  RETURNING ${sessionAccountSql('u', 's')}, s.id::text AS "sessionId"`)

export function createPasswordStore ({ prisma }: Pick<Database, 'prisma'>) {
  return {
    /**
     * Sets a password, renews the session that did it and ends all others: if the old hash and the session's credential are
     * unchanged. Every access token from before is revoked.
     *
     * @returns `undefined` when the session ended or its credential was replaced, `hash_renewed` when only the hash is another:
     * whoever sets another password ends this session
     */
    replace: ({ userId, sessionId, from, to, credential, newCredential, keyId, notice }: PasswordReplacement, client: ClientInfo): Promise<RenewedSession & { revocations: Revocation[] } | 'hash_renewed' | undefined> => prisma.$transaction(async tx => {
      const [locked] = await tx.$queryRawUnsafe<Array<{ passwordHash: string | null }>>(LOCK.text, ...bindValues(LOCK, { userId, sessionId, channel: credential.channel, ...columnsOf(credential) }))
      if (locked === undefined) return undefined
      if (locked.passwordHash !== from) return 'hash_renewed'
      await tx.user.update({ where: { id: userId }, data: { passwordHash: to } })
      const ended = await endSessions(tx, userId, 'password_change', sessionId)
      await recordAudit(tx, { action: 'password_change', outcome: 'success', actorId: userId, subjectId: userId, sessionId, ...client })
      await enqueue(tx, notice)
      const revocations = [...await recordEnded(tx, userId, ended), ...await raiseVersion(tx, userId)]
      const [session] = await tx.$queryRawUnsafe<Array<RenewedSession['session']>>(RENEW.text, ...bindValues(RENEW, { sessionId, keyId, ...columnsOf(newCredential) }))
      if (session === undefined) throw new Error('A locked session is missing')
      return { session, credential: newCredential, revocations }
    })
  }
}

function columnsOf (credential: SessionCredential): { nonce: Uint8Array | null, secretHash: Uint8Array | null } {
  if (credential.channel === 'session') return { nonce: null, secretHash: Uint8Array.from(credential.secretHash) }
  return { nonce: Uint8Array.from(credential.nonce), secretHash: null }
}
