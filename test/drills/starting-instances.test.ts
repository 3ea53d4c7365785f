import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { onPostgres, onServer } from '../support/database.ts'
import { startInstances } from '../support/instances.ts'

const ROWS = 1_000_000

t.test(`while three instances start on a ledger of ${ROWS} live rows that were never analysed, one that runs refuses nobody`, { ...onPostgres, timeout: 300_000 }, async t => {
  const { instances: [running], databaseUrl } = await startInstances(t, {})
  await onServer(databaseUrl, async client => {
    await client.query('ALTER TABLE revocations SET (autovacuum_enabled = off)')
    await client.query(`
      INSERT INTO revocations (kind, subject, user_id, expires_at, xid)
      SELECT 'session', gen_random_uuid()::text, gen_random_uuid(), now() + interval '10 minutes', pg_current_xact_id()::text::bigint
      FROM generate_series(1, ${ROWS})`)
  })
  await running.stop()
  await running.restart()

  const { accessToken } = await running.person()
  const counts: Record<string, number> = {}
  const over = new AbortController()
  const load = Promise.all(Array.from({ length: 4 }, async () => {
    while (!over.signal.aborted) {
      const { status } = await running.call('GET /auth/verify', { token: accessToken })
      counts[status] = (counts[status] ?? 0) + 1
      await pause(10)
    }
  }))
  const { instances: started } = await startInstances(t, { DATABASE_URL: databaseUrl }, { DATABASE_URL: databaseUrl }, { DATABASE_URL: databaseUrl })
  for (const instance of started) t.equal((await instance.call('GET /auth/verify', { token: accessToken })).status, 200)
  over.abort()
  await load
  t.comment(JSON.stringify(counts))
  t.strictSame(Object.keys(counts), ['200'])
})
