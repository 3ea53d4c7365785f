import type { Test } from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import type { Database } from '../../src/database/database.ts'
import { createOutboxWriter } from '../../src/outbox/enqueue.ts'
import type { Channel, Delivery, NewMessage } from '../../src/outbox/message.ts'
import { createOutboxStore, type OutboxStore } from '../../src/outbox/store.ts'
import { startOutboxWorker, type OutboxWorker, type WorkerDeps } from '../../src/outbox/worker.ts'
import { deriveKeyRing } from '../../src/tokens/derived-keys.ts'
import { createEncryption } from '../../src/tokens/encryption.ts'

export const DELIVERED: Delivery = { outcome: 'delivered' }

/** A row of the table. */
export interface Row { id: string, kind: string, userId: string | null, payload: string, attempts: number, claim: string | null, dueIn: number, expiresIn: number, deadAt: Date | null, lastError: string | null }

/** An outbox on a database of a test, and what the test looks at. */
export function outboxOn (t: Test, database: Database) {
  const encryption = createEncryption(deriveKeyRing([generateSecret()], 'outbox'))
  const writer = createOutboxWriter(database, encryption)
  const store = createOutboxStore(database)
  const logged: string[] = []
  const note = (_details: object, message = '') => { logged.push(message) }

  /** Starts a worker that polls often; it stops when the test ends. */
  function workOn (store: OutboxStore, deliver: Channel['deliver'], { pausedFor = () => 0, kinds = ['note'], ...options }: Partial<Omit<Channel, 'deliver'>> & Pick<WorkerDeps, 'pollEvery' | 'stopWithin'> = {}): OutboxWorker {
    const worker = startOutboxWorker({ store, channels: [{ kinds, deliver, pausedFor }], encryption, log: { info: note, warn: note, error: note }, pollEvery: 10, ...options })
    t.teardown(() => worker.close())
    return worker
  }

  return {
    encryption,
    writer,
    store,
    logged,

    async queue (payload: object, message: Partial<NewMessage> = {}): Promise<string> {
      const row = writer.prepare({ kind: 'note', expiresIn: 600, ...message, payload })
      await writer.enqueue(row)
      return row.id ?? ''
    },

    rows: () => database.query<Row>({
      name: 'test.outbox-rows',
      text: `SELECT id::text AS id, kind, user_id::text AS "userId", payload, attempts, claim::text AS claim, extract(epoch FROM due_at - now())::float8 AS "dueIn",
        extract(epoch FROM expires_at - now())::float8 AS "expiresIn", dead_at AS "deadAt", last_error AS "lastError" FROM outbox ORDER BY created_at, id`
    }, []),

    /** Makes every message due: what waits for its next attempt, and what a dead worker has claimed. */
    makeDue: () => database.query({ name: 'test.outbox-due', text: "UPDATE outbox SET due_at = now() - interval '1 second'" }, []),

    workOn,
    work: (deliver: Channel['deliver'], options: Parameters<typeof workOn>[2] = {}) => workOn(store, deliver, options)
  }
}
