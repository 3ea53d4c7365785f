import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import type { Database } from '../../../src/database/database.ts'
import { DatabaseUnavailable } from '../../../src/database/errors.ts'
import { onPostgres, onServer, openTestDatabase, testDatabase } from '../../support/database.ts'
import { endsSession, isSync, readFeed } from '../../support/feed.ts'
import { until } from '../../support/until.ts'
import { REVOKE, revokeIn } from '../../revocation/following.ts'
import { serveFeed } from './serving.ts'

t.test('an instance that is cut off from its database', async t => {
  const database = await openTestDatabase(t)
  let isGone = false
  const breakable: Database = { ...database, query: (...args) => isGone ? Promise.reject(new DatabaseUnavailable('gone')) : database.query(...args) }
  const { origin, ledgerSync } = await serveFeed(t, { database: breakable })
  const feed = await readFeed(t, origin, { authorization: 'a' })
  await feed.next(isSync)
  const { length } = feed.events
  isGone = true

  t.test('sends no sync, though the connection lives', async t => {
    await until(() => ledgerSync.counts.failedReads >= 1, 10_000)
    t.equal(feed.events.slice(length).filter(isSync).length <= 1, true, 'but what was read before')
    const { length: before } = feed.events
    await pause(2_500)
    t.equal(feed.events.length, before)
  })

  t.test('still sends what it revokes itself', async t => {
    const id = randomUUID()
    ledgerSync.apply([{ kind: 'session', id, expiresAt: Math.ceil(Date.now() / 1000) + 60 }])
    t.match(await feed.next(endsSession(id)), { data: { kind: 'session' } })
  })

  t.test('accepts no new subscriber', async t => {
    t.equal((await readFeed(t, origin, { authorization: 'b' })).status, 503)
  })

  t.test('sends a sync once it has read again', async t => {
    isGone = false
    const { data } = await feed.next(isSync)
    t.ok(data.ageMs < 2_500, `${data.ageMs} ms`)
  })
})

t.test('a sync contains the age of the read that it attests', async t => {
  const database = await openTestDatabase(t)
  const slow: Database = {
    ...database,
    async query (statement, values) {
      const rows = await database.query<never>(statement, values)
      if (statement.name === 'revocations.read-since') await pause(400)
      return rows
    }
  }
  const { origin } = await serveFeed(t, { database: slow })
  const feed = await readFeed(t, origin, { authorization: 'a' })
  const first = await feed.next(isSync)
  t.ok(first.data.ageMs < 2_000)
  const { data } = await feed.next(isSync)
  t.ok(data.ageMs >= 400 && data.ageMs < 1_500, `${data.ageMs} ms`)
})

t.test('a revocation whose transaction began before a subscriber disconnected, and committed meanwhile', onPostgres, async t => {
  const { url = '', dataDir } = await testDatabase(t)
  const database = await openTestDatabase(t, { url, dataDir })
  const { origin } = await serveFeed(t, { database })
  const late = randomUUID()

  await onServer(url, async slow => {
    await slow.query('BEGIN')
    await slow.query(REVOKE.text, [late])
    const feed = await readFeed(t, origin, { authorization: 'a' })
    await feed.next(isSync)
    for (let count = 0; count < 200; count++) await revokeIn(database)
    const last = await revokeIn(database)
    await feed.next(endsSession(last))
    const { id: cursor } = await feed.next(isSync)
    feed.close()
    await slow.query('COMMIT')
    // Others that stayed have gone on meanwhile.
    const other = await readFeed(t, origin, { authorization: 'b' })
    await other.next(isSync)
    await other.next(isSync)

    const again = await readFeed(t, origin, { authorization: 'a', 'last-event-id': cursor })
    await again.next(isSync)
    t.equal(again.events.filter(endsSession(late)).length, 1, 'is told when it comes back')
    t.equal(again.events.some(endsSession(last)), false, 'and what it knew is not told again')
  })
})
