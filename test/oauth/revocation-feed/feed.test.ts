import t from 'tap'
import { sessionIdOf } from '../../sessions/session-rows.ts'
import { basic, registerClient } from '../../support/clients.ts'
import { endsSession, isSync, readFeed } from '../../support/feed.ts'
import { present } from '../../support/presence.ts'
import { startService } from '../../support/service.ts'
import { until } from '../../support/until.ts'

t.test('the revocation feed', async t => {
  const service = await startService(t)
  const origin = await service.listen()
  const client = await registerClient(service.database, 'revocations:read')
  const open = (headers: Readonly<Record<string, string>> = {}) => readFeed(t, origin, { authorization: client.authorization, ...headers })
  const logOut = async () => {
    const ada = await service.person()
    await service.call('POST /auth/logout', { token: ada.accessToken })
    return sessionIdOf(ada)
  }

  const subscribers = async () => Number(/^countersign_revocation_followers (\d+)$/m.exec((await service.call('GET /metrics')).text)?.[1])

  t.test('is an event stream that no cache and no proxy buffers', async t => {
    const { status, headers } = await open({ 'accept-encoding': 'gzip, br' })
    t.match({ status, headers }, { status: 200, headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' } })
    t.equal(headers['content-encoding'], undefined)
  })

  t.test('starts with everything that is live, and a sync', async t => {
    const [first, second] = [await logOut(), await logOut()]
    const feed = await open()
    const sync = await feed.next(isSync)
    const before = feed.events.slice(0, feed.events.indexOf(sync))
    for (const id of [first, second]) t.equal(before.filter(endsSession(id)).length, 1)
    t.match(feed.events[0]?.data, { kind: 'session', expiresAt: Number })
    t.ok(sync.data.ageMs >= 0 && sync.data.ageMs < 2_000, `${sync.data.ageMs}`)
  })

  t.test('then sends revocations as they happen', async t => {
    const feed = await open()
    await feed.next(isSync)
    const id = await logOut()
    const { data } = await feed.next(endsSession(id))
    const now = Date.now() / 1000
    t.ok(data.expiresAt > now + 3_600 && data.expiresAt < now + 3_700, 'the entry lives as long as any token may, and a little')
  })

  t.test('sends a user with the first version that is valid again', async t => {
    const feed = await open()
    await feed.next(isSync)
    const ada = await service.person()
    await service.call('POST /auth/me/delete', present(ada))
    const { data } = await feed.next(endsSession(ada.user.id))
    t.match(data, { kind: 'user', id: ada.user.id, minVersion: 2_147_483_647 })
  })

  t.test('sends a sync again and again, and gives an id to nothing else', async t => {
    const feed = await open()
    const times: number[] = []
    for (let count = 0; count < 3; count++) {
      await feed.next(isSync)
      times.push(performance.now())
      await logOut()
    }
    for (const [index, time] of times.slice(1).entries()) t.ok(time - Number(times[index]) < 5_000)
    for (const event of feed.events) t.equal('id' in event, event.event === 'sync')
  })

  t.test('continues where a subscriber disconnected', async t => {
    const before = await logOut()
    const feed = await open()
    await feed.next(isSync)
    // The first attests a read that may have been before it; the next is of one after it.
    const { id: cursor } = await feed.next(isSync)
    feed.close()
    const missed = [await logOut(), await logOut()]
    const again = await open({ 'last-event-id': cursor })
    await again.next(isSync)
    t.same(again.events.filter(({ event }) => event === 'revocation').map(({ data }) => Reflect.get(data, 'id')).sort(), missed.sort())
    t.equal(again.events.some(endsSession(before)), false)
  })

  for (const [what, cursor] of Object.entries({ nothing: '', garbage: "'; DROP TABLE revocations; --", 'of another ledger': '00000000-0000-4000-8000-000000000000.1.1~5:5:', long: 'x'.repeat(4_000) })) {
    t.test(`starts again with an unknown cursor: ${what}`, async t => {
      const id = await logOut()
      const feed = await open({ 'last-event-id': cursor })
      await feed.next(isSync)
      t.equal(feed.events.filter(endsSession(id)).length, 1)
    })
  }

  t.test('is for clients only', async t => {
    const ada = await service.person()
    for (const authorization of [undefined, basic(client.id, 'wrong'), basic('client_000000000000000000000000', client.secret), basic('\0', ''), 'Basic', 'Basic !']) {
      const feed = await readFeed(t, origin, authorization === undefined ? {} : { authorization })
      await feed.ended
      t.match({ status: feed.status, headers: feed.headers }, { status: 401, headers: { 'www-authenticate': /^Basic / } }, String(authorization))
      t.match(JSON.parse(feed.text()), { code: 'invalid_client' })
    }
    const feed = await readFeed(t, origin, { authorization: `Bearer ${ada.accessToken}` })
    t.equal(feed.status, 401)
  })

  t.test('and only for those with the scope', async t => {
    const other = await registerClient(service.database, 'introspect')
    const feed = await readFeed(t, origin, { authorization: other.authorization })
    await feed.ended
    t.match({ status: feed.status, headers: feed.headers }, { status: 403, headers: { 'www-authenticate': /insufficient_scope/ } })
    t.match(JSON.parse(feed.text()), { code: 'insufficient_scope' })
  })

  t.test('ends when the client is removed', async t => {
    const removed = await registerClient(service.database, 'revocations:read')
    const [feed, other] = [await readFeed(t, origin, { authorization: removed.authorization }), await open()]
    await feed.next(isSync)
    await removed.registry.remove(removed.id)
    await feed.ended
    t.equal((await readFeed(t, origin, { authorization: removed.authorization })).status, 401)
    t.match(await other.next(endsSession(removed.id)), { data: { kind: 'client', id: removed.id } }, 'which the others are told')
  })

  t.test('answers HEAD without a stream', async t => {
    const { status, headers } = await service.call('HEAD /revocations', { headers: { authorization: client.authorization } })
    t.match({ status, headers }, { status: 200, headers: { 'content-type': 'text/event-stream' } })
    t.equal((await service.call('HEAD /revocations')).status, 401)
  })

  t.test('counts subscribers, and logs one line for each', async t => {
    const before = await subscribers()
    const feed = await open()
    await feed.next(isSync)
    t.equal(await subscribers(), before + 1)
    const lines = () => service.log.filter(({ msg }) => msg === 'revocation feed disconnected').length
    const linesBefore = lines()
    feed.close()
    await until(async () => await subscribers() === before)
    t.equal(lines(), linesBefore + 1)
  })

  t.test('does not count a client that disconnected while it was authenticated', async t => {
    const before = await subscribers()
    const held = service.hold('clients.find')
    const closed = new Promise(resolve => service.app.server.once('connection', socket => socket.once('close', resolve)))
    const left = new AbortController()
    const gone = fetch(`${origin}/revocations`, { headers: { authorization: client.authorization }, signal: left.signal })
    await held.reached
    left.abort()
    await Promise.all([t.rejects(gone), closed])
    held.release()
    await (await open()).next(isSync)
    t.equal(await subscribers(), before + 1, 'but the one that came after it')
    t.equal(service.log.filter(({ level }) => level >= 50).length, 0)
  })

  t.test('stops with the service, without delaying it', async t => {
    const feeds = await Promise.all(Array.from({ length: 20 }, () => open()))
    await Promise.all(feeds.map(feed => feed.next(isSync)))
    const began = performance.now()
    await Promise.all([service.app.close(), ...feeds.map(feed => feed.ended)])
    t.ok(performance.now() - began < 2_000, `${performance.now() - began} ms`)
  })
})
