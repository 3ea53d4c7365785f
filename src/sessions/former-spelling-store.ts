import type { Database } from '../database/database.ts'
import { violatedConstraint } from '../database/errors.ts'
import { statement } from '../database/statement.ts'
import { formerSpelling, isEmailAddress } from '../http/email-address.ts'

const RESPELL = statement('accounts.respell', `
  UPDATE users SET email = :email, updated_at = now()
  WHERE email = :former AND NOT EXISTS (SELECT FROM users WHERE email = :email)`)

/**
 * To be called before an account is looked up, or created, by its address. Earlier versions stored a domain as it was written:
 * an account of theirs with U-labels in its domain gets A-labels the first time that somebody names its address. Anybody may do
 * so, for it is the same address before and after.
 *
 * @param email normalised
 */
export async function respellFormer ({ query }: Pick<Database, 'query'>, email: string): Promise<void> {
  const former = formerSpelling(email)
  if (former === email || !isEmailAddress(email)) return
  try {
    await query(RESPELL, { email, former })
  } catch (error) {
    // An account with the same address was created meanwhile: it is the one that is found.
    if (violatedConstraint(error) === undefined) throw error
  }
}
