import { v7 as uuidv7 } from 'uuid'
import { auditSql } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { bindValues, statement } from '../database/statement.ts'
import type { ClientInfo } from '../http/client-info.ts'
import { useMailedSecret, type MailedSecret } from '../one-time-tokens/mailed-secret-store.ts'
import { respellFormer } from '../sessions/former-spelling-store.ts'
import { isActiveSql } from '../sessions/session-sql.ts'

/** An account whose address nobody has proved yet. */
export interface UnverifiedAccount {
  id: string
  locale: string | null
}

/** What a mailed secret of verification was issued with. */
export interface VerificationData {
  /** The address that it was mailed to: at another one it is void. */
  email: string
}

export type VerificationStore = ReturnType<typeof createVerificationStore>

const FIND = statement('verification.find', `SELECT id::text AS id, locale FROM users WHERE email = :email AND ${isActiveSql()} AND NOT email_verified`)

// It revokes nothing, so the version stays: the next access token says that the address is verified.
const VERIFY = statement('verification.verify', `
  WITH verified AS (
    UPDATE users SET email_verified = true, updated_at = now() WHERE id = :userId::uuid AND email = :email AND ${isActiveSql()}
    RETURNING id AS user_id, NULL::uuid AS session_id
  ), ${auditSql('email_verify', 'success', 'verified')}
  SELECT 1 FROM verified`)

export function createVerificationStore ({ query, prisma }: Pick<Database, 'query' | 'prisma'>) {
  return {
    /** @param email normalised */
    async find (email: string): Promise<UnverifiedAccount | undefined> {
      await respellFormer({ query }, email)
      const [account] = await query<UnverifiedAccount>(FIND, { email })
      return account
    },

    /**
     * Uses a mailed secret up, and verifies the address. Nothing is removed: the caller has made sure that the owner of the
     * account shows it.
     *
     * @returns `undefined` when the account is gone, disabled, or has another address; `used` when the secret is no longer good
     */
    verify: (secret: MailedSecret<VerificationData>, { ip, userAgent }: ClientInfo): Promise<'verified' | 'used' | undefined> => prisma.$transaction(async tx => {
      const { userId, data: { email } } = secret
      // The account before the token, as by everything that changes both.
      const verified = await tx.$queryRawUnsafe<unknown[]>(VERIFY.text, ...bindValues(VERIFY, { userId, email, eventId: uuidv7(), ip, userAgent }))
      if (verified.length === 0) return undefined
      if (!await useMailedSecret(tx, secret)) throw new Used()
      return 'verified' as const
    }).catch(usedIfUsed)
  }
}

// Undoes the transaction.
class Used extends Error {}

function usedIfUsed (error: unknown): 'used' {
  if (error instanceof Used) return 'used'
  throw error
}
