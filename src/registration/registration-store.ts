import { v7 as uuidv7 } from 'uuid'
import { auditSql } from '../audit/store.ts'
import type { Database } from '../database/database.ts'
import { violatedConstraint } from '../database/errors.ts'
import { bindValues, statement } from '../database/statement.ts'
import { useMailedSecret, type PendingSecret } from '../one-time-tokens/mailed-secret-store.ts'
import { respellFormer } from '../sessions/former-spelling-store.ts'
import { ACCOUNT_COLUMNS, openSessionSql, openSessionValues, type NewSession, type StoredSession } from '../sessions/open-session-store.ts'

/** An account that waits for its address to be proved, as it is stored with the mailed secret. */
export interface PendingRegistration {
  /** Normalised. */
  email: string
  name: string | null
  passwordHash: string
  /** The one that mails are written in. */
  locale: string | null
}

export type RegistrationStore = ReturnType<typeof createRegistrationStore>

// An address that is held for another account counts as taken.
const FIND_TAKEN = statement('registration.find-taken', `
  SELECT locale FROM users WHERE email = :email
  UNION ALL SELECT (SELECT locale FROM users WHERE id = user_id) FROM email_holds WHERE email = :email AND until > now() LIMIT 1`)

const CREATE = statement('registration.create', openSessionSql(`
  INSERT INTO users (id, email, email_verified, name, password_hash, locale)
  SELECT :userId::uuid, :email, true, :name::text, :passwordHash::text, :locale::text
  WHERE NOT EXISTS (SELECT FROM email_holds WHERE email = :email AND until > now())
  RETURNING ${ACCOUNT_COLUMNS}`, [auditSql('register', 'success', 'stored')]))

export function createRegistrationStore ({ query, prisma }: Pick<Database, 'query' | 'prisma'>) {
  return {
    /**
     * @param email normalised
     * @returns the language of the account that has the address, or holds it; `undefined` where none does
     */
    async findTaken (email: string): Promise<{ locale: string | null } | undefined> {
      await respellFormer({ query }, email)
      const [taken] = await query<{ locale: string | null }>(FIND_TAKEN, { email })
      return taken
    },

    /**
     * Makes an account whose address is proved, and its first session, and uses up the mailed secret.
     *
     * @returns `taken` when the address is that of another account by now, `used` when the secret is no longer good
     */
    async create ({ hash, isLink, data: { email, name, passwordHash, locale } }: PendingSecret<PendingRegistration>, session: NewSession): Promise<StoredSession | 'taken' | 'used'> {
      try {
        return await prisma.$transaction(async tx => {
          if (!await useMailedSecret(tx, { hash, isLink })) return 'used'
          const values = { ...openSessionValues(session), userId: uuidv7(), email, name, passwordHash, locale, eventId: uuidv7() }
          const [stored] = await tx.$queryRawUnsafe<StoredSession[]>(CREATE.text, ...bindValues(CREATE, values))
          // A held address: the transaction is undone by what the caller is told.
          if (stored === undefined) throw new Taken()
          return stored
        })
      } catch (error) {
        if (error instanceof Taken || violatedConstraint(error) !== undefined) return 'taken'
        throw error
      }
    }
  }
}

class Taken extends Error {}
