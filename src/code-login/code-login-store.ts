import type { Revocation } from 'countersign-verifier/internal'
import { recordAudit } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { bindValues, statement } from '../database/statement.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { useMailedSecret, type MailedSecret } from '../one-time-tokens/mailed-secret-store.ts'
import { outboxValues, type OutboxRow } from '../outbox/enqueue.ts'
import { raiseVersion } from '../sessions/end-session-store.ts'
import { respellFormer } from '../sessions/former-spelling-store.ts'
import { ACCOUNT_COLUMNS, IS_NOTICED, NOTICE, openSessionSql, openSessionValues, type NewSession, type StoredSession } from '../sessions/open-session-store.ts'
import { removeWaysIn } from '../sessions/remove-ways-in-store.ts'

/** An account whose owner can be mailed a code. */
export interface CodeLoginAccount {
  id: string
  locale: string | null
}

/** What a code was issued with. */
export interface CodeLoginData {
  /** The address that it was mailed to: at another one it is void. */
  email: string
}

/** A session that was opened by a code. */
export interface OpenedByCode {
  stored: StoredSession
  /** To be applied on this instance. */
  revocations: Revocation[]
}

export type CodeLoginStore = ReturnType<typeof createCodeLoginStore>

// Who only ever claimed an address does not get another role by proving it. An account that is to be deleted is restored first, unless
// nobody has proved its address: somebody else may have had it deleted.
const MAY_LOG_IN = "email = :email AND disabled_at IS NULL AND CASE WHEN email_verified THEN deletion_due_at IS NULL ELSE role = 'user' END"

const FIND = statement('code-login.find', `SELECT id::text AS id, locale FROM users WHERE ${MAY_LOG_IN}`)
const LOCK = statement('code-login.lock', `SELECT email_verified AS "isVerified" FROM users WHERE id = :userId::uuid AND ${MAY_LOG_IN} FOR NO KEY UPDATE`)
const CLAIM = statement('code-login.claim', 'UPDATE users SET email_verified = true, password_hash = NULL, deletion_due_at = NULL, updated_at = now() WHERE id = :userId::uuid')
const OPEN = statement('code-login.open', openSessionSql(`
  SELECT ${ACCOUNT_COLUMNS} FROM users WHERE id = :userId::uuid`, NOTICE, "jsonb_build_object('method', 'code')", IS_NOTICED))

export function createCodeLoginStore ({ query, prisma }: Pick<Database, 'query' | 'prisma'>) {
  return {
    /** @param email normalised */
    async find (email: string): Promise<CodeLoginAccount | undefined> {
      await respellFormer({ query }, email)
      const [account] = await query<CodeLoginAccount>(FIND, { email })
      return account
    },

    /**
     * Uses a code up and opens a session. An address that was never verified is verified thereby, and nothing else that opens
     * the account is left: somebody else may have registered it.
     *
     * @param notice to the owner, stored where the device is new
     * @returns `undefined` when the code is no longer good, or the account gone, disabled, or at another address
     */
    open: (secret: MailedSecret<CodeLoginData>, session: NewSession, notice: OutboxRow, client: ClientInfo): Promise<OpenedByCode | undefined> => prisma.$transaction(async tx => {
      const { userId, data: { email } } = secret
      // The account before the code, as by everything that changes both.
      const [account] = await tx.$queryRawUnsafe<Array<{ isVerified: boolean }>>(LOCK.text, ...bindValues(LOCK, { userId, email }))
      if (account === undefined || !await useMailedSecret(tx, secret)) return undefined
      const revocations: Revocation[] = []
      if (!account.isVerified) {
        await removeWaysIn(tx, userId, secret.hash)
        await tx.$queryRawUnsafe(CLAIM.text, ...bindValues(CLAIM, { userId }))
        await recordAudit(tx, { action: 'account_claim', outcome: 'success', actorId: userId, subjectId: userId, ...client })
        revocations.push(...await raiseVersion(tx, userId))
      }
      const [stored] = await tx.$queryRawUnsafe<StoredSession[]>(OPEN.text, ...bindValues(OPEN, { ...openSessionValues(session), userId, ...outboxValues(notice, 'notice') }))
      if (stored === undefined) throw new Error('A locked account is missing')
      return { stored, revocations }
    })
  }
}
