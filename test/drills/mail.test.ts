import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { openDatabase } from '../../src/database/open-database.ts'
import { createOutboxWriter } from '../../src/outbox/enqueue.ts'
import { deriveKeyRing } from '../../src/tokens/derived-keys.ts'
import { createEncryption } from '../../src/tokens/encryption.ts'
import { startSmtp } from '../mail/smtp.ts'
import { onPostgres, silent } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { startInstances } from '../support/instances.ts'
import { until } from '../support/until.ts'

const MESSAGES = 900
const BATCH = 300
/** How long there is no SMTP server, in ms. */
const OUTAGE = 30_000

t.test(`${MESSAGES} messages, ${OUTAGE / 1000} s without SMTP and three kills: every message arrives`, { ...onPostgres, timeout: 600_000 }, async t => {
  const port = await freePort()
  const secret = generateSecret()
  const settings = { COUNTERSIGN_SECRET: secret, SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: 'no-reply@shop.example' }
  const { instances: [instance], databaseUrl } = await startInstances(t, settings)
  const database = await openDatabase({ url: databaseUrl, dataDir: '', log: silent })
  t.teardown(() => database.close())
  const writer = createOutboxWriter(database, createEncryption(deriveKeyRing([secret], 'outbox')))
  const ids: string[] = []
  const queue = async () => {
    for (let count = 0; count < BATCH; count++) {
      const row = writer.prepare({ kind: 'mail', payload: { message: 'login_code', data: { code: '042917', minutes: 10 }, to: `ada-${ids.length}@example.com` }, expiresIn: 3_600 })
      await writer.enqueue(row)
      ids.push(row.id ?? '')
    }
  }
  const left = async () => (await database.query<{ count: number }>({ name: 'test.left', text: 'SELECT count(*)::int AS count FROM outbox' }, []))[0]?.count

  const first = await startSmtp(t, { port })
  await queue()
  await until(() => first.received.length > 50, 60_000)
  await instance.kill()
  await first.close()
  await instance.restart()
  await queue()
  await pause(OUTAGE / 2)
  await instance.kill()
  await instance.restart()
  await pause(OUTAGE / 2)
  const second = await startSmtp(t, { port })
  await queue()
  await until(() => second.received.length > 100, 120_000)
  await instance.kill()
  await instance.restart()
  await until(async () => await left() === 0, 300_000)

  const received = [...first.received, ...second.received].map(({ mail: { messageId = '' } }) => messageId.slice(1, messageId.indexOf('@')))
  t.strictSame(ids.filter(id => !received.includes(id)), [], 'none is lost')
  t.strictSame([...new Set(received)].filter(id => !ids.includes(id)), [], 'and none is made up')
  t.comment(JSON.stringify({ sent: received.length, copies: received.length - new Set(received).size }))
  t.ok(received.length - new Set(received).size <= 3 * 10, 'no more copies than were in flight')
})
