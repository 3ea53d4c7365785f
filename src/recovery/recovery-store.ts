import type { Revocation } from 'countersign-verifier/internal'
import { recordAudit } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { bindValues, statement } from '../database/statement.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { clearLoginGuard } from '../limits/login-guard-store.ts'
import { useMailedSecret, type MailedSecret } from '../one-time-tokens/mailed-secret-store.ts'
import { enqueue, type OutboxRow } from '../outbox/enqueue.ts'
import { endSessions, raiseVersion } from '../sessions/end-session-store.ts'
import { removeWaysIn } from '../sessions/remove-ways-in-store.ts'
import { respellFormer } from '../sessions/former-spelling-store.ts'

/** An account whose owner can be mailed a link to choose a new password. */
export interface RecoverableAccount {
  id: string
  name: string | null
  locale: string | null
}

/** What a mailed secret of recovery was issued with. */
export interface RecoveryData {
  /** The address that it was mailed to: at another one it is void. */
  email: string
}

/** A new password, proved by a mailed secret. */
export interface NewPassword {
  secret: MailedSecret<RecoveryData>
  passwordHash: string
  /** Makes the notice to the owner. @param at ISO 8601 */
  notice: (at: string) => OutboxRow
}

export type RecoveryStore = ReturnType<typeof createRecoveryStore>

// Who only ever claimed an address does not get another role by proving it, unless the operator vouches for the address.
const IS_RECOVERABLE = "email = :email AND disabled_at IS NULL AND (email_verified OR role = 'user' OR :isVouchedFor::bool)"

const FIND = statement('recovery.find', `SELECT id::text AS id, name, locale FROM users WHERE ${IS_RECOVERABLE}`)
const LOCK = statement('recovery.lock', `
  SELECT email_verified AS "isVerified", deletion_due_at IS NOT NULL AS "isToBeDeleted", now() AS at FROM users WHERE id = :userId::uuid AND ${IS_RECOVERABLE} FOR NO KEY UPDATE`)

export function createRecoveryStore ({ query, prisma }: Pick<Database, 'query' | 'prisma'>) {
  return {
    /** @param email normalised */
    async find (email: string, { isVouchedFor = false } = {}): Promise<RecoverableAccount | undefined> {
      await respellFormer({ query }, email)
      const [account] = await query<RecoverableAccount>(FIND, { email, isVouchedFor })
      return account
    },

    /**
     * Uses a mailed secret up and sets a password: all sessions end, every token is revoked, and no failure locks the account
     * any more. A deletion that was scheduled is taken back. On an address that was never verified nothing else is left of the account, and the address is verified.
     *
     * @returns `undefined` when the account is gone, disabled, or has another address; `used` when the secret is no longer good
     */
    setPassword: ({ secret, passwordHash, notice }: NewPassword, client: ClientInfo): Promise<Revocation[] | 'used' | undefined> => prisma.$transaction(async tx => {
      const { userId, purpose, data: { email } } = secret
      const [account] = await tx.$queryRawUnsafe<Array<{ isVerified: boolean, isToBeDeleted: boolean, at: Date }>>(LOCK.text, ...bindValues(LOCK, { userId, email, isVouchedFor: isVouchedFor(purpose) }))
      if (account === undefined) return undefined
      if (!await useMailedSecret(tx, secret)) return 'used'
      if (!account.isVerified) await removeWaysIn(tx, userId, secret.hash)
      await endSessions(tx, userId, 'password_reset')
      await tx.user.update({ where: { id: userId }, data: { passwordHash, emailVerified: true, deletionDueAt: null } })
      await clearLoginGuard(tx, userId)
      const event = { outcome: 'success', actorId: userId, subjectId: userId, ...client } as const
      if (!account.isVerified) await recordAudit(tx, { action: 'account_claim', ...event })
      await recordAudit(tx, { action: 'password_reset', ...event })
      if (account.isToBeDeleted) await recordAudit(tx, { action: 'account_restore', ...event })
      await enqueue(tx, notice(account.at.toISOString()))
      return await raiseVersion(tx, userId)
    })
  }
}

function isVouchedFor (purpose: MailedSecret<unknown>['purpose']): boolean {
  return purpose === 'invitation'
}
