import type { Database } from '../database/database.ts'
import { statement } from '../database/statement.ts'

/** Where the owner of an account gets mail, and in which language. */
export interface Recipient {
  email: string
  locale: string | null
}

const FIND = statement('mail.recipient', 'SELECT email, locale FROM users WHERE id = :userId::uuid')

// By the address that was refused: the account may have another by now.
const MARK = statement('mail.mark-undeliverable', 'UPDATE users SET email_undeliverable_at = now() WHERE email = :email AND email_undeliverable_at IS NULL')
const UNMARK = statement('mail.mark-deliverable', 'UPDATE users SET email_undeliverable_at = NULL WHERE email = :email AND email_undeliverable_at IS NOT NULL')

export function createRecipientStore ({ query }: Pick<Database, 'query'>) {
  return {
    /** @returns `undefined` when the account is gone */
    async find (userId: string): Promise<Recipient | undefined> {
      const [recipient] = await query<Recipient>(FIND, { userId })
      return recipient
    },

    /** Marks the account with an address: mail to it is refused for good. */
    async markUndeliverable (email: string): Promise<void> {
      await query(MARK, { email })
    },

    /** Takes the mark back: the address takes mail. */
    async markDeliverable (email: string): Promise<void> {
      await query(UNMARK, { email })
    }
  }
}
