import type { Revocation } from 'countersign-verifier/internal'
import { recordAudit } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { violatedConstraint } from '../database/errors.ts'
import { bindValues, statement } from '../database/statement.ts'
import { Problem } from '../errors.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { MAIL_REQUEST_LIFE } from '../mail-requests/mail-flow.ts'
import { issueMailedLink, useMailedSecret, voidMailedTo, type MailedSecret } from '../one-time-tokens/mailed-secret-store.ts'
import { enqueue, type OutboxRow } from '../outbox/enqueue.ts'
import { endSessions, raiseVersion, recordEnded } from '../sessions/end-session-store.ts'
import { respellFormer } from '../sessions/former-spelling-store.ts'
import { isActiveSql, isLiveSql } from '../sessions/session-sql.ts'
import { holdAddress, holdSql } from './hold-store.ts'
import { passwordTagSql, REVERT_LIFE, type RevertData } from './revert-data.ts'

/** An account whose address is to be changed. */
export interface ChangingAccount {
  /** Its present address. */
  from: string
  isVerified: boolean
  locale: string | null
  /** ISO 8601. */
  askedAt: string
  /** By which another password is told. */
  passwordTag: string | null
}

/** What a mailed secret of a change was issued with. */
export interface ChangeData extends Pick<ChangingAccount, 'from' | 'askedAt' | 'passwordTag'> {
  /** The new address, which it was mailed to. */
  email: string
  /** The session that asked. */
  sessionId: string
}

/** The new address, as it is found before a mail goes there. */
export interface Destination {
  /** Of the account that asks. */
  locale: string | null
  /** Another account has the address. */
  isTaken: boolean
  /** The language of that one. */
  takenLocale: string | null
  /** It is the former address of another account. */
  isHeld: boolean
}

/** A change that was proved, and by what besides the mailed secret. */
export interface ProvedChange {
  secret: MailedSecret<ChangeData>
  /** Where it is the asking session, that has to be live still; otherwise the password has to be this one still. */
  passwordHash: string | undefined
  /** Of a link by which the owner of the old address takes the account back. */
  revertToken: string
  /** @returns the messages to both addresses; the old one is told only if it was verified */
  messages: (change: { at: string, isVerified: boolean, locale: string | null }) => readonly OutboxRow[]
}

/** What came of it: `moved` where the account is gone, disabled, to be deleted, or has another address by now. */
export type ChangeOutcome = Revocation[] | 'moved' | 'session_ended' | 'password_changed' | 'used'

export type ChangeStore = ReturnType<typeof createChangeStore>

const BEGIN = statement('email-change.begin', `
  WITH account AS (
    SELECT id, email, email_verified, locale, ${passwordTagSql('users')} AS tag FROM users WHERE id = :userId::uuid AND ${isActiveSql()} FOR KEY SHARE
  ), held AS (${holdSql('SELECT email, id FROM account WHERE email_verified AND email <> :email')})
  SELECT email AS "from", email_verified AS "isVerified", locale, now() AS at, tag AS "passwordTag" FROM account`)

const FIND_DESTINATION = statement('email-change.find-destination', `
  SELECT asking.locale, taken.id IS NOT NULL AS "isTaken", taken.locale AS "takenLocale",
    EXISTS (SELECT FROM email_holds hold WHERE hold.email = :email AND hold.user_id <> asking.id AND hold.until > now()) AS "isHeld"
  FROM users asking LEFT JOIN users taken ON taken.email = :email
  WHERE asking.id = :userId::uuid AND asking.email = :from AND ${isActiveSql('asking')}`)

// FOR UPDATE, which a change of the address takes in the end: from a weaker lock two transactions could not both get there.
const LOCK = statement('email-change.lock', `
  SELECT email_verified AS "isVerified", locale, password_hash AS "passwordHash", now() AS at
  FROM users WHERE id = :userId::uuid AND email = :from AND ${isActiveSql()} FOR UPDATE`)

// Whoever ends a session locks its account first.
const FIND_SESSION = statement('email-change.find-session', `
  SELECT 1 FROM sessions WHERE id = :sessionId::uuid AND user_id = :userId::uuid AND ${isLiveSql()}`)

export function createChangeStore ({ query, prisma }: Pick<Database, 'query' | 'prisma'>) {
  return {
    /**
     * Reads the account, and holds its address if that is verified, until the change must have been confirmed: nobody is to take
     * it at the moment when the account gets another.
     *
     * @param email the new address, normalised
     * @returns `undefined` when the account is gone, disabled or to be deleted
     */
    async begin (userId: string, email: string): Promise<ChangingAccount | undefined> {
      const [account] = await query<Omit<ChangingAccount, 'askedAt'> & { at: Date }>(BEGIN, { userId, email, holdFor: MAIL_REQUEST_LIFE })
      if (account === undefined) return undefined
      const { at, ...found } = account
      return { ...found, askedAt: at.toISOString() }
    },

    /** @returns `undefined` when the account is gone, disabled, to be deleted, or has another address by now */
    async findDestination ({ userId, from, email }: { userId: string, from: string, email: string }): Promise<Destination | undefined> {
      await respellFormer({ query }, email)
      const [destination] = await query<Destination>(FIND_DESTINATION, { userId, from, email })
      return destination
    },

    /**
     * Gives the account its new address, which is verified thereby. All sessions end but the one that asked, every token is
     * revoked, and what was mailed to the old address is void. A verified old address is held, and gets a link to come back.
     *
     * @throws Problem 409 `email_taken`
     */
    change: ({ secret, passwordHash, revertToken, messages }: ProvedChange, client: ClientInfo): Promise<ChangeOutcome> => prisma.$transaction(async (tx): Promise<ChangeOutcome> => {
      const { userId, data: { email, from, sessionId, askedAt, passwordTag } } = secret
      const [account] = await tx.$queryRawUnsafe<Array<{ isVerified: boolean, locale: string | null, passwordHash: string | null, at: Date }>>(LOCK.text, ...bindValues(LOCK, { userId, from }))
      if (account === undefined) return 'moved'
      const [session] = await tx.$queryRawUnsafe<unknown[]>(FIND_SESSION.text, ...bindValues(FIND_SESSION, { sessionId, userId }))
      if (passwordHash === undefined && session === undefined) return 'session_ended'
      if (passwordHash !== undefined && passwordHash !== account.passwordHash) return 'password_changed'
      if (!await useMailedSecret(tx, secret)) return 'used'
      const { isVerified, locale } = account
      if (isVerified) await holdAddress(tx, { email: from, userId, holdFor: REVERT_LIFE })
      await tx.user.update({ where: { id: userId }, data: { email, emailVerified: true, emailUndeliverableAt: null } })
      await voidMailedTo(tx, userId, from)
      const data: RevertData = { email: from, since: askedAt, passwordTag }
      if (isVerified) await issueMailedLink(tx, { purpose: 'email_revert', token: revertToken, userId, data, life: REVERT_LIFE })
      const ended = await endSessions(tx, userId, 'email_change', sessionId)
      await recordAudit(tx, { action: 'email_change', outcome: 'success', actorId: userId, subjectId: userId, ...session !== undefined && { sessionId }, ...client })
      for (const message of messages({ at: account.at.toISOString(), isVerified, locale })) await enqueue(tx, message)
      return [...await recordEnded(tx, userId, ended), ...await raiseVersion(tx, userId)]
    }).catch(refuseTaken)
  }
}

/** @throws Problem 409 `email_taken` where another account has the address, or holds it */
export function refuseTaken (error: unknown): never {
  throw violatedConstraint(error) === undefined ? error : new Problem('email_taken', { cause: error })
}
