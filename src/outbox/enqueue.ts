import { v7 as uuidv7 } from 'uuid'
import type { Database, DbTransaction } from '../database/database.ts'
import { bindValues, statement } from '../database/statement.ts'
import { contextOf, type NewMessage, type PayloadEncryption } from './message.ts'

/** A message as it is stored, or all `null` where there is none: the same statement serves both. */
export interface OutboxRow {
  readonly id: string | null
  readonly kind: string | null
  readonly lane: string | null
  readonly userId: string | null
  readonly payload: string | null
  /** Seconds. */
  readonly life: number | null
}

/** No message, for a statement that may carry one. */
export const NO_MESSAGE: OutboxRow = { id: null, kind: null, lane: null, userId: null, payload: null, life: null }

/** The values of the parameters of `outboxSql`. */
export type OutboxValues<Name extends string> = { readonly [Key in keyof OutboxRow as `${Name}${Capitalize<Key>}`]: OutboxRow[Key] }

/**
 * SQL: a common table expression `<name>_queued`, which stores a message if `source` has a row, and then has one too. So an act's own statement
 * carries it: what is rolled back sends nothing, what is committed is sent, even if the process dies.
 *
 * @param source a table with the column user_id, which may be NULL
 * @param name tells several messages of one statement apart; its parameters come from `outboxValues`
 */
export function outboxSql (source: string, name = 'outbox'): string {
  return `
    ${name}_queued AS (
      INSERT INTO outbox (id, kind, lane, user_id, payload, expires_at)
      SELECT :${name}Id::uuid, :${name}Kind::text, :${name}Lane::text, coalesce(user_id, :${name}UserId::uuid), :${name}Payload::text, now() + make_interval(secs => :${name}Life::float8)
      FROM ${source} WHERE :${name}Kind::text IS NOT NULL LIMIT 1
      RETURNING 1
    )`
}

/** @returns the parameters that `outboxSql` with the same name needs */
export function outboxValues<Name extends string = 'outbox'> (row: OutboxRow, name: Name = 'outbox' as Name): OutboxValues<Name> {
  const entries = Object.entries(row).map(([key, value]) => [`${name}${key.charAt(0).toUpperCase()}${key.slice(1)}`, value])
  return Object.fromEntries(entries) as OutboxValues<Name>
}

const ENQUEUE = statement('outbox.enqueue', `
  WITH ${outboxSql('(SELECT NULL::uuid AS user_id) AS nobody')}
  SELECT 1`)

/** Stores a message within a transaction of Prisma. Wake the worker once it is committed. */
export async function enqueue (tx: Pick<DbTransaction, '$queryRawUnsafe'>, row: OutboxRow): Promise<void> {
  if (row.kind === null) return
  await tx.$queryRawUnsafe(ENQUEUE.text, ...bindValues(ENQUEUE, { ...outboxValues(row) }))
}

export type OutboxWriter = ReturnType<typeof createOutboxWriter>

export function createOutboxWriter ({ query }: Pick<Database, 'query'>, encryption: PayloadEncryption) {
  return {
    /** Encrypts a message, for `outboxSql` or `enqueue`. @returns `NO_MESSAGE` for none */
    prepare (message: NewMessage | undefined): OutboxRow {
      if (message === undefined) return NO_MESSAGE
      const { kind, payload, expiresIn, userId, lane } = message
      const id = uuidv7()
      return { id, kind, lane: lane ?? null, userId: userId ?? null, payload: encryption.encrypt(JSON.stringify(payload), contextOf(id)), life: expiresIn }
    },

    /** Stores a message by a statement of its own, which reads no other table. */
    async enqueue (row: OutboxRow): Promise<void> {
      await query(ENQUEUE, { ...outboxValues(row) })
    }
  }
}
