import type { Database } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import { contextOf, type PayloadEncryption } from './message.ts'

/** How many messages were re-encrypted, and how many still need an old secret. */
export interface MessageReencryption { reencrypted: number, needOldSecret: number }

const BATCH = 1_000
const FIRST = '00000000-0000-0000-0000-000000000000'

// An expired one has no payload any more.
const IS_OLD = "payload <> '' AND split_part(payload, '.', 1) <> :keyId"
// A batch is as many rows as are read: none takes longer than another, however few need an old secret.
const NEXT = statement('outbox.of-old-secrets', `SELECT id::text AS id, CASE WHEN ${IS_OLD} THEN payload END AS payload FROM outbox WHERE id > :after::uuid ORDER BY outbox.id LIMIT ${BATCH}`)
const REPLACE = statement('outbox.reencrypt', 'UPDATE outbox SET payload = :to WHERE id = :id::uuid AND payload = :from')

/**
 * Re-encrypts the payloads of messages under the current `COUNTERSIGN_SECRET`. It can run while the service does, and be
 * repeated.
 */
export async function reencryptMessages ({ query }: Pick<Database, 'query'>, { keyId, encrypt, decrypt }: PayloadEncryption): Promise<MessageReencryption> {
  async function * old (): AsyncGenerator<{ id: string, payload: string }> {
    for (let after: string | undefined = FIRST; after !== undefined;) {
      const batch: Array<{ id: string, payload: string | null }> = await query(NEXT, { keyId, after })
      for (const { id, payload } of batch) if (payload !== null) yield { id, payload }
      after = batch.at(-1)?.id
    }
  }

  let reencrypted = 0
  for await (const { id, payload: from } of old()) {
    const payload = decrypt(from, contextOf(id))
    if (payload === undefined) continue
    await query(REPLACE, { id, from, to: encrypt(payload, contextOf(id)) })
    reencrypted++
  }
  let needOldSecret = 0
  const left = old()
  while ((await left.next()).done !== true) needOldSecret++
  return { reencrypted, needOldSecret }
}
