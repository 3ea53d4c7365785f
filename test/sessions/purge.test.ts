import t from 'tap'
import { createAuditPurge } from '../../src/audit/purge-store.ts'
import { createLedgerPurge } from '../../src/revocation/ledger-reader.ts'
import { startPurgeJob } from '../../src/database/purge-job.ts'
import { createSessionPurge } from '../../src/sessions/purge-store.ts'
import { onPostgres, onServer } from '../support/database.ts'
import { startService } from '../support/service.ts'
import { until } from '../support/until.ts'
import { rowOf, sessionIdOf } from './session-rows.ts'

t.test('purging', async t => {
  const service = await startService(t)
  const purge = createSessionPurge(service.database)
  const purgeLedger = createLedgerPurge(service.database)
  const owner = await service.person()
  const fill = (count: number, { idle, ended = 'NULL' }: { idle: string, ended?: string }) => service.sql(`
    INSERT INTO sessions (id, user_id, channel, nonce, key_id, idle_ends_at, ends_at, ended_at)
    SELECT gen_random_uuid(), $1::uuid, 'body', '\\x00', 'key', now() + interval '${idle}', now() + interval '1 day', ${ended}
    FROM generate_series(1, $2::int)`, owner.user.id, count)
  const count = async () => (await service.sql<{ count: number }>('SELECT count(*)::int AS count FROM sessions'))[0]?.count

  t.test('deletes what has expired and what ended over an hour ago, and nothing else', async t => {
    const before = await count()
    await fill(3, { idle: '-1 second' })
    await fill(3, { idle: '1 day', ended: "now() - interval '61 minutes'" })
    await fill(3, { idle: '1 day', ended: "now() - interval '59 minutes'" })
    t.equal(await purge(100), 6)
    t.equal(await count(), (before ?? 0) + 3)
    t.match(await rowOf(service, owner), { endedReason: null })
  })

  t.test('deletes in batches of the given size', async t => {
    await fill(25, { idle: '-1 second' })
    t.strictSame([await purge(10), await purge(10), await purge(10), await purge(10)], [10, 10, 5, 0])
  })

  t.test('deletes events of the audit trail after their retention, in batches', async t => {
    const purgeAudit = createAuditPurge(service.database, 86_400)
    await service.sql("INSERT INTO audit_events (id, at, action, outcome) SELECT gen_random_uuid(), now() - n * interval '1 hour', 'old', 'success' FROM generate_series(22, 30) n")
    t.strictSame([await purgeAudit(4), await purgeAudit(4), await purgeAudit(4)], [4, 3, 0])
    t.equal((await service.sql("SELECT 1 FROM audit_events WHERE action = 'old'")).length, 2)
    t.ok((await service.sql("SELECT 1 FROM audit_events WHERE action = 'login'")).length > 0)
  })

  t.test('deletes expired rows of the ledger, and leaves the live ones', async t => {
    await service.sql(`INSERT INTO revocations (kind, subject, expires_at, xid)
      SELECT 'session', 'expired-' || n, now() + n * interval '1 minute', 1 FROM generate_series(-5, 5) n WHERE n <> 0`)
    t.strictSame([await purgeLedger(3), await purgeLedger(3)], [3, 2])
    t.equal((await service.sql("SELECT 1 FROM revocations WHERE subject LIKE 'expired-%'")).length, 5)
  })

  t.test('is one instance\'s at a time, and logins and refreshes go on', { ...onPostgres }, async t => {
    await fill(5, { idle: '-1 second' })
    await onServer(service.config.databaseUrl ?? '', async other => {
      await other.query('BEGIN')
      await other.query("SELECT pg_try_advisory_xact_lock(hashtext('countersign purge'), 1), pg_try_advisory_xact_lock(hashtext('countersign purge'), 2)")
      await other.query('DELETE FROM sessions WHERE idle_ends_at < now()')
      t.equal(await purge(100), 0, 'another is at it')
      t.equal(await purgeLedger(100), 0)
      t.equal((await service.logIn(owner)).user.id, owner.user.id, 'who logs in does not wait for it')
      t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: owner.refreshToken } })).status, 200)
      await other.query('ROLLBACK')
    })
    t.equal(await purge(100), 5)
  })

  t.test('a session that is refreshed meanwhile stays', async t => {
    const person = await service.person()
    await Promise.all([purge(100), service.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken } }), purge(100)])
    t.match(await rowOf(service, { refreshToken: `${sessionIdOf(person)}.` }), { generation: 1 })
  })

  t.test('goes on after a failure, and stops when it is told to', async t => {
    const warnings: string[] = []
    let calls = 0
    const stop = startPurgeJob([async limit => {
      calls++
      if (calls === 1) throw new Error('the database is away')
      return calls < 4 ? limit : 0
    }], { warn: (_details, message) => { warnings.push(message) } }, 10)
    await until(() => calls >= 4)
    stop()
    t.strictSame(warnings, ['purge of expired rows failed'])
  })
})
