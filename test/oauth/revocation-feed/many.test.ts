import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { connect } from 'node:net'
import t from 'tap'
import type { Revocation } from 'countersign-verifier/internal'
import { openTestDatabase } from '../../support/database.ts'
import { endsSession, isSync, readFeed } from '../../support/feed.ts'
import { until } from '../../support/until.ts'
import { serveFeed } from './serving.ts'

t.test('many subscribers of one instance', async t => {
  const database = await openTestDatabase(t)

  t.test('all receive everything', async t => {
    const { origin, ledgerSync } = await serveFeed(t, { database })
    const feeds = await Promise.all(Array.from({ length: 200 }, (_, index) => readFeed(t, origin, { authorization: `client ${index % 7}` })))
    await Promise.all(feeds.map(feed => feed.next(isSync)))
    const expiresAt = Math.ceil(Date.now() / 1000) + 60
    const entries = Array.from({ length: 100 }, (): Revocation => ({ kind: 'session', id: randomUUID(), expiresAt }))
    for (const entry of entries) ledgerSync.apply([entry])
    await Promise.all(feeds.map(feed => feed.next(endsSession(String(entries.at(-1)?.id)))))
    for (const { events } of feeds) t.equal(events.filter(({ event }) => event === 'revocation').length, entries.length)
  })

  t.test('are limited in number, in all and for each client', async t => {
    const { origin, left } = await serveFeed(t, { database, limits: { total: 3, perClient: 2 } })
    const open = async (client: string) => readFeed(t, origin, { authorization: client })
    const [first, second] = [await open('a'), await open('a')]
    const third = await open('a')
    t.strictSame([first.status, second.status, third.status, third.headers['retry-after']], [200, 200, 429, '30'])
    t.strictSame([(await open('b')).status, (await open('c')).status], [200, 503])
    first.close()
    await until(() => left.length === 1)
    t.equal((await open('c')).status, 200, 'a place that is left is free')
  })

  t.test('that ask ahead on one connection leave with it', async t => {
    const { origin, left, followers } = await serveFeed(t, { database })
    const { hostname, port } = new URL(origin)
    const socket = connect(Number(port), hostname)
    socket.write('GET /revocations HTTP/1.1\r\nHost: localhost\r\nAuthorization: a\r\n\r\n'.repeat(5))
    await until(() => followers() === 5)
    socket.destroy()
    await until(() => followers() === 0)
    t.strictSame(left, Array.from({ length: 5 }, () => 'gone'))
  })

  t.test('that leave before their turn to read the ledger leave nothing to do, and count until then', async t => {
    const MANY = 50
    const read: unknown[] = []
    let release = () => {}
    const held = new Promise<void>(resolve => { release = resolve })
    const snapshots = Array.from({ length: MANY + 1 }, (_, index) => `3:${index + 4}:`)
    const { origin, left, followers } = await serveFeed(t, {
      database: {
        ...database,
        async query (statement, values) {
          const snapshot = Reflect.get(values, 'snapshot')
          if (!snapshots.includes(String(snapshot))) return await database.query(statement, values)
          read.push(snapshot)
          await held
          return await database.query(statement, values)
        }
      },
      limits: { total: 1_000, perClient: MANY }
    })
    const other = await readFeed(t, origin, { authorization: 'b' })
    const { id } = await other.next(isSync)
    const headersOf = (snapshot: string) => ({ authorization: 'a', 'last-event-id': id.replace(/~.*/, `~${snapshot}`) })
    const waiting = snapshots.slice(0, MANY).map(snapshot => request(`${origin}/revocations`, { headers: headersOf(snapshot), agent: false }).on('error', () => {}).end())
    await until(() => followers() === MANY + 1)
    t.equal((await readFeed(t, origin, { authorization: 'a' })).status, 429)
    for (const one of waiting) one.destroy()
    await until(() => left.length === MANY)
    const reading = read.length
    t.ok(reading < 10, `${reading} read at once`)

    const next = readFeed(t, origin, headersOf(String(snapshots.at(-1))))
    await until(() => followers() === 2)
    release()
    await (await next).next(isSync)
    t.strictSame(read.slice(reading), [snapshots.at(-1)], 'nothing is read for those who have left')
  })

  t.test('that read slowly what they have missed hold up nobody who has missed something too', async t => {
    const { origin, responses, ledgerSync } = await serveFeed(t, { database, backpressure: { bytes: 64 * 1024 * 1024, ms: 60_000 } })
    const { id } = await (await readFeed(t, origin, { authorization: 'b' })).next(isSync)
    await database.query({
      name: 'test.fill-long',
      text: `INSERT INTO revocations (kind, subject, min_version, expires_at, xid)
        SELECT 'user', repeat('x', 1000) || n, 2, now() + interval '1 hour', pg_current_xact_id()::text::bigint FROM generate_series(1, 7000) n`
    }, [])
    const [identity = '', snapshot = ''] = id.split('~')
    const [, next = ''] = snapshot.split(':')
    const begun = responses.length
    // As many as may read the ledger at once, each with a cursor of its own for the same.
    const slow = await Promise.all([0, 1, 2, 3].map(async n => {
      const feed = await readFeed(t, origin, { authorization: 'a', 'last-event-id': `${identity}~${Number(next) - n}:${next}:` })
      // At once, or it has read everything before the others have come.
      feed.pause()
      return feed.status
    }))
    t.strictSame(slow, [200, 200, 200, 200])
    await until(() => responses.slice(begun).filter(({ writableNeedDrain }) => writableNeedDrain).length === slow.length)
    const feed = await readFeed(t, origin, { authorization: 'b', 'last-event-id': ledgerSync.cursor() })
    await feed.next(isSync)
    t.strictSame(responses.slice(begun, -1).map(({ writableEnded }) => writableEnded), [false, false, false, false], 'though the slow ones are still sent to')
  })
})
