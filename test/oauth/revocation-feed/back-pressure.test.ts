import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Revocation } from 'countersign-verifier/internal'
import { openTestDatabase } from '../../support/database.ts'
import { endsSession, isSync, readFeed } from '../../support/feed.ts'
import { until } from '../../support/until.ts'
import { serveFeed } from './serving.ts'

const MANY = 20_000

t.test('subscribers that do not read', async t => {
  const database = await openTestDatabase(t)
  const expiresAt = Math.ceil(Date.now() / 1000) + 3_600
  const ended = (count: number): Revocation[] => Array.from({ length: count }, () => ({ kind: 'session', id: randomUUID(), expiresAt }))

  t.test('are disconnected when too much is buffered for them, without effect on the others', async t => {
    const { origin, ledgerSync, left, responses } = await serveFeed(t, { database, backpressure: { bytes: 1024 * 1024, ms: 60_000 } })
    const [reads, sleeps] = [await readFeed(t, origin, { authorization: 'a' }), await readFeed(t, origin, { authorization: 'b' })]
    await Promise.all([reads.next(isSync), sleeps.next(isSync)])
    sleeps.pause()
    const tell = async (count: number) => {
      const entries = ended(count)
      ledgerSync.apply(entries)
      await reads.next(endsSession(String(entries.at(-1)?.id)))
    }
    await until(async () => {
      await tell(5_000)
      return left.length > 0
    }, 60_000)
    t.strictSame(left, ['too slow'])
    await tell(1)
    t.equal(responses.filter(({ closed }) => closed).length, 1)
  })

  t.test('are disconnected when they read nothing for too long', async t => {
    const { origin, ledgerSync, left, responses } = await serveFeed(t, { database, backpressure: { bytes: Infinity, ms: 300 } })
    const feed = await readFeed(t, origin, { authorization: 'a' })
    await feed.next(isSync)
    feed.pause()
    await until(() => {
      if (responses[0]?.writableNeedDrain === false) ledgerSync.apply(ended(5_000))
      return left.length > 0
    }, 60_000)
    t.strictSame(left, ['too slow'])
  })

  t.test('are waited for while they catch up, and little is written at a time', async t => {
    await database.query({
      name: 'test.fill',
      text: `INSERT INTO revocations (kind, subject, min_version, expires_at, xid)
        SELECT 'user', repeat('x', 500) || n, 2, now() + interval '1 hour', pg_current_xact_id()::text::bigint FROM generate_series(1, ${MANY}) n`
    }, [])
    const { origin, responses } = await serveFeed(t, { database })
    const feed = await readFeed(t, origin, { authorization: 'a' })
    feed.pause()
    let most = 0
    const measuring = setInterval(() => { most = Math.max(most, responses[0]?.writableLength ?? 0) }, 5)
    t.teardown(() => clearInterval(measuring))
    await until(() => responses[0]?.writableNeedDrain === true)
    feed.resume()
    await feed.next(isSync)
    t.equal(new Set(feed.events.map(({ data }) => Reflect.get(data, 'id'))).size >= MANY, true)
    t.ok(most > 0 && most < 1024 * 1024, `${most} bytes of ${MANY * 600} waited at most`)
  })
})
