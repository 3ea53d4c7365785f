import { randomUUID } from 'node:crypto'
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
    t.strictSame([first.status, second.status, (await open('a')).status], [200, 200, 503])
    t.strictSame([(await open('b')).status, (await open('c')).status], [200, 503])
    first.close()
    await until(() => left.length === 1)
    t.equal((await open('c')).status, 200, 'a place that is left is free')
  })
})
