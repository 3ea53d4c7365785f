import type { Database, DbTransaction } from '../database/database.ts'
import { createPurgeBatch, purgeTimeSql } from '../database/purge-batch.ts'
import { bindValues, statement } from '../database/statement.ts'

// Longer than what it is for, so that there is no moment between the two in which somebody else could take the address.
const SLACK = 3600

/**
 * SQL: a statement that holds addresses for their accounts: nobody else gets them. The trigger `refuse_held_email` sees to that.
 *
 * @param source a SELECT giving email and the user's id
 */
export function holdSql (source: string): string {
  return `
    INSERT INTO email_holds AS hold (email, user_id, until)
    SELECT email, id, now() + make_interval(secs => :holdFor::float8 + ${SLACK}) FROM (${source}) AS held
    ON CONFLICT (email) DO UPDATE SET user_id = excluded.user_id,
      until = CASE WHEN hold.user_id = excluded.user_id THEN greatest(hold.until, excluded.until) ELSE excluded.until END`
}

const HOLD = statement('email-holds.hold', holdSql('SELECT :email::text AS email, :userId::uuid AS id'))

const RELEASE = statement('email-holds.release', `
  DELETE FROM email_holds AS hold WHERE user_id = :userId::uuid AND NOT EXISTS (
    SELECT FROM one_time_tokens AS link
    WHERE link.user_id = hold.user_id AND link.purpose = 'email_revert' AND link.data->>'email' = hold.email AND link.used_at IS NULL AND link.expires_at > now())`)

const OVER = `SELECT email FROM email_holds WHERE (SELECT turn FROM mine) AND ${purgeTimeSql('until')} < ${purgeTimeSql('now()')} ORDER BY ${purgeTimeSql('until')} LIMIT :limit`

type Transaction = Pick<DbTransaction, '$queryRawUnsafe'>

/** Holds an address for an account, within a transaction. @param holdFor seconds */
export async function holdAddress (tx: Transaction, hold: { email: string, userId: string, holdFor: number }): Promise<void> {
  await tx.$queryRawUnsafe(HOLD.text, ...bindValues(HOLD, hold))
}

/** Lets go, within a transaction, of the addresses of an account that no link gives back any more. */
export async function releaseAddresses (tx: Transaction, userId: string): Promise<void> {
  await tx.$queryRawUnsafe(RELEASE.text, ...bindValues(RELEASE, { userId }))
}

export function createHoldPurge (database: Pick<Database, 'query'>) {
  return createPurgeBatch(database, { what: 'email-holds', table: 'email_holds', key: 'email', expired: OVER })
}
