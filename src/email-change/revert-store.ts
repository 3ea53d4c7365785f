import type { Revocation } from 'countersign-verifier/internal'
import { recordAudit } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { bindValues, statement } from '../database/statement.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { useMailedSecret, voidLaterSecrets, type MailedSecret } from '../one-time-tokens/mailed-secret-store.ts'
import { enqueue, type OutboxRow } from '../outbox/enqueue.ts'
import { endSessions, raiseVersion } from '../sessions/end-session-store.ts'
import { removeWaysInSince } from '../sessions/remove-ways-in-store.ts'
import { refuseTaken } from './change-store.ts'
import { releaseAddresses } from './hold-store.ts'
import { passwordTagSql, type RevertData } from './revert-data.ts'

/** What came of it: `gone` where there is no such account any more. */
export type RevertOutcome = Revocation[] | 'gone' | 'disabled' | 'used'

/** What the messages tell of it. */
export interface RevertedAccount {
  /** The address that it had until then. */
  from: string
  /** ISO 8601. */
  at: string
  locale: string | null
}

/** A link to come back, and the messages to both addresses. */
export interface ProvedRevert {
  secret: MailedSecret<RevertData>
  messages: (reverted: RevertedAccount) => readonly OutboxRow[]
}

export type RevertStore = ReturnType<typeof createRevertStore>

const LOCK = statement('email-revert.lock', `
  SELECT email AS "from", disabled_at IS NOT NULL AS "isDisabled", locale, ${passwordTagSql('users')} IS NOT DISTINCT FROM :passwordTag::text AS "isSamePassword", now() AS at
  FROM users WHERE id = :userId::uuid FOR UPDATE`)

export function createRevertStore ({ prisma }: Pick<Database, 'prisma'>) {
  return {
    /**
     * Gives an account a former address back, whatever addresses it has had since. All sessions end and every token is revoked;
     * identities that were linked since and a password that was set since are removed; so are pending codes and a deletion that was asked for, and later links
     * to come back are void.
     *
     * @throws Problem 409 `email_taken`
     */
    revert: ({ secret, messages }: ProvedRevert, client: ClientInfo): Promise<RevertOutcome> => prisma.$transaction(async (tx): Promise<RevertOutcome> => {
      const { userId, data: { email, since, passwordTag } } = secret
      const [account] = await tx.$queryRawUnsafe<Array<{ from: string, isDisabled: boolean, locale: string | null, isSamePassword: boolean, at: Date }>>(LOCK.text, ...bindValues(LOCK, { userId, passwordTag }))
      if (account === undefined) return 'gone'
      const { from, isDisabled, isSamePassword, locale, at } = account
      if (isDisabled) return 'disabled'
      if (!await useMailedSecret(tx, secret)) return 'used'
      await voidLaterSecrets(tx, secret)
      await endSessions(tx, userId, 'email_revert')
      await removeWaysInSince(tx, userId, new Date(since))
      await tx.user.update({ where: { id: userId }, data: { email, emailVerified: true, emailUndeliverableAt: null, deletionDueAt: null, ...!isSamePassword && { passwordHash: null } } })
      await releaseAddresses(tx, userId)
      await recordAudit(tx, { action: 'email_revert', outcome: 'success', actorId: userId, subjectId: userId, ...client })
      for (const message of messages({ from, at: at.toISOString(), locale })) await enqueue(tx, message)
      return await raiseVersion(tx, userId)
    }).catch(refuseTaken)
  }
}
