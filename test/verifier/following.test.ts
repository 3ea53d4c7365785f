import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import t from 'tap'
import { followFeed, type FeedTiming } from '../../verifier/src/feed/follow-feed.ts'
import { SUBJECT } from '../support/hostile-tokens.ts'
import { startStandIn, type StandIn } from '../support/stand-in.ts'
import { until } from '../support/until.ts'
import { follow, goodToken, refusal } from '../support/verifiers.ts'

const LATER = Math.ceil(Date.now() / 1000) + 3600
const FAST: FeedTiming = { silence: 300, firstWait: 5, longestWait: 20, refusedWait: 200 }

/** Follows a feed directly, with less patience than a verifier has. */
function followFast (t: { teardown (undo: () => void): unknown }, service: StandIn, { renewsToken = false, ...timing }: Partial<FeedTiming> & { renewsToken?: boolean } = {}) {
  const heard: string[] = []
  const lost: Error[] = []
  const follower = followFeed({
    url: new URL(service.url('/revocations')),
    authorize: async () => 'Bearer x',
    renewsToken,
    onRevocation: ({ kind, id }) => heard.push(`${kind} ${id}`),
    onSync: ({ ageMs }) => heard.push(`sync ${ageMs}`),
    onLost: cause => lost.push(cause),
    timing: { ...FAST, ...timing }
  })
  t.teardown(follower.close)
  return { heard, lost, close: follower.close }
}

t.test('a verifier that follows refuses what was revoked, by session, by user and by version', async t => {
  const service = await startStandIn(t)
  const verifier = follow(t, service)
  const feed = await service.connected()
  feed.sync()
  await verifier.ready()
  t.match(verifier.verify(goodToken()), { id: SUBJECT.sub })

  const revoke = async (revocation: Parameters<typeof feed.revoke>[0]) => {
    const heard = once(verifier.events, 'revocation')
    feed.revoke(revocation)
    t.strictSame(await heard, [revocation])
  }
  await revoke({ kind: 'session', id: SUBJECT.sid, expiresAt: LATER })
  t.equal(refusal(() => verifier.verify(goodToken())), 'revoked')
  t.equal(refusal(() => verifier.verify(goodToken({ sid: 'another' }))), undefined)

  await revoke({ kind: 'user', id: SUBJECT.sub, minVersion: 5, expiresAt: LATER })
  t.equal(refusal(() => verifier.verify(goodToken({ sid: 'another', ver: 4 }))), 'revoked')
  t.equal(refusal(() => verifier.verify(goodToken({ sid: 'another', ver: 5 }))), undefined)

  await revoke({ kind: 'client', id: 'client_x', expiresAt: LATER })
  const client = { sub: 'client_x', client_id: 'client_x', sid: undefined, role: undefined, ver: undefined, email_verified: undefined, email: undefined }
  t.equal(refusal(() => verifier.verifyClient(goodToken(client))), 'revoked')
  t.equal(refusal(() => verifier.verifyClient(goodToken({ ...client, sub: 'client_y', client_id: 'client_y' }))), undefined)
  t.match(verifier.counters, { revocations: 3, syncs: 1 })
})

t.test('shows who it is, asks for an uncompressed stream, and comes back with its cursor', async t => {
  const service = await startStandIn(t)
  const verifier = follow(t, service)
  const first = await service.connected()
  t.equal(first.headers.authorization, `Basic ${Buffer.from('client_shop:a+secret').toString('base64')}`)
  t.match(first.headers, { accept: 'text/event-stream', 'last-event-id': undefined, 'accept-encoding': undefined })
  first.sync(0, 'one')
  first.sync(0, 'two')
  await until(() => verifier.counters.syncs === 2)
  const again = service.connected()
  first.cut()
  t.equal((await again).headers['last-event-id'], 'two')
})

t.test('an entry before the cut is kept, and one that comes again is no harm', async t => {
  const service = await startStandIn(t)
  const verifier = follow(t, service)
  const feed = await service.connected()
  feed.sync()
  feed.revoke({ kind: 'session', id: SUBJECT.sid, expiresAt: LATER })
  await until(() => verifier.counters.revocations === 1)
  const again = service.connected()
  feed.end()
  const second = await again
  t.equal(refusal(() => verifier.verify(goodToken())), 'revoked')
  second.revoke({ kind: 'session', id: SUBJECT.sid, expiresAt: LATER })
  second.sync()
  await until(() => verifier.counters.syncs === 2)
  t.equal(refusal(() => verifier.verify(goodToken())), 'revoked')
})

t.test('cut at random, again and again, it misses nothing', async t => {
  const service = await startStandIn(t)
  const ledger: string[] = []
  // What the service does: all of it to whom it does not know, and what is missing to whom it does.
  service.answer('/revocations', ({ headers }, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const from = Number(headers['last-event-id'] ?? 0)
    const missing = ledger.slice(from).map(id => `event: revocation\ndata: ${JSON.stringify({ kind: 'session', id, expiresAt: LATER })}\n\n`)
    const whole = `${missing.join('')}event: sync\nid: ${ledger.length}\ndata: {"ageMs":0}\n\n`
    response.write(whole.slice(0, Math.random() < 0.5 ? Math.floor(Math.random() * whole.length) : whole.length))
    setTimeout(() => response.destroy(), Math.random() * 10)
  })
  const { heard } = followFast(t, service)
  for (let index = 0; index < 100; index++) {
    ledger.push(`s${index}`)
    await new Promise(resolve => setTimeout(resolve, Math.random() * 5))
  }
  await until(() => ledger.every(id => heard.includes(`session ${id}`)))
  t.strictSame([...new Set(heard.filter(text => text.startsWith('session')))].length, ledger.length)
})

t.test('freshness counts from the read that a sync speaks of, and not from when it came', async t => {
  const service = await startStandIn(t)
  const verifier = follow(t, service, { maxStaleness: 2 })
  const feed = await service.connected()
  t.equal(verifier.staleness(), Infinity)
  t.equal(refusal(() => verifier.verify(goodToken())), 'stale', 'before the first sync too')
  feed.sync(1900)
  await verifier.ready()
  t.ok(verifier.staleness() >= 1900 && verifier.staleness() < 2500, `${verifier.staleness()}`)
  await until(() => refusal(() => verifier.verify(goodToken())) === 'stale')
  t.ok(verifier.staleness() > 2000)
  feed.sync(5000)
  await until(() => verifier.counters.syncs === 2)
  t.equal(refusal(() => verifier.verify(goodToken())), 'stale', 'a sync that is itself too old helps nobody')
  feed.sync(0)
  await until(() => verifier.counters.syncs === 3)
  t.equal(refusal(() => verifier.verify(goodToken())), undefined)
})

t.test('an older sync after a newer one takes nothing back', async t => {
  const service = await startStandIn(t)
  const verifier = follow(t, service)
  const feed = await service.connected()
  feed.sync(0)
  feed.sync(20_000)
  await until(() => verifier.counters.syncs === 2)
  t.ok(verifier.staleness() < 10_000)
})

t.test('says when it turns stale and fresh', async t => {
  const service = await startStandIn(t)
  const verifier = follow(t, service, { maxStaleness: 0.1 })
  const said: string[] = []
  for (const name of ['stale', 'fresh'] as const) verifier.events.on(name, () => said.push(name))
  const feed = await service.connected()
  feed.sync()
  await until(() => said.length === 2)
  feed.sync()
  await until(() => said.length >= 3)
  t.strictSame(said.slice(0, 3), ['fresh', 'stale', 'fresh'])
})

t.test('onStale decides, for the verifier and for each call', async t => {
  const service = await startStandIn(t)
  const accepting = follow(t, service, { onStale: 'accept' })
  const rejecting = follow(t, service, { onStale: 'reject' })
  const asking = follow(t, service, { onStale: 'introspect' })
  const token = goodToken()
  t.equal(refusal(() => accepting.verify(token)), undefined)
  t.equal(refusal(() => accepting.verify(token, { onStale: 'reject' })), 'stale')
  t.equal(refusal(() => accepting.verify(token, { onStale: 'reject', maxStaleness: Infinity })), undefined)
  t.equal(refusal(() => rejecting.verify(token)), 'stale')
  t.equal(refusal(() => rejecting.verify(token, { onStale: 'accept' })), undefined)
  t.equal(refusal(() => asking.verify(token)), 'stale', 'which cannot ask')
  for (const wrong of ['ACCEPT', '', null]) t.equal(refusal(() => rejecting.verify(token, { onStale: wrong as 'accept' })), 'stale', 'what is no policy lets nobody in')
  t.equal(refusal(() => rejecting.verify(token, { maxStaleness: NaN })), 'stale')
  t.equal(refusal(() => accepting.verify('hostile')), 'malformed', 'a bad token is bad, however stale')
})

t.test('a feed that falls silent is left, and asked again', async t => {
  const service = await startStandIn(t)
  const { lost } = followFast(t, service)
  const feed = await service.connected()
  feed.sync()
  const again = service.connected()
  const comments = setInterval(() => feed.send(': still here\n\n'), 50)
  t.teardown(() => clearInterval(comments))
  await again
  await feed.closed
  t.match(lost, [{ message: /silent for 0.3 s/ }], 'comments are no sign of life: a sync is due every 5 s')
})

t.test('a service that accepts and never answers is left too', async t => {
  const service = await startStandIn(t)
  service.answer('/revocations', () => {})
  const { lost } = followFast(t, service)
  await until(() => lost.length >= 2)
  t.match(lost[0], { message: /silent/ })
})

t.test('waits as long as a date says, by the clock of whoever says it', async t => {
  const service = await startStandIn(t)
  service.answer('/revocations', (_request, response) => {
    response.writeHead(503, { date: 'Sun, 06 Nov 1994 08:49:37 GMT', 'retry-after': 'Sun, 06 Nov 1994 08:50:37 GMT' }).end()
  })
  const { lost } = followFast(t, service)
  t.ok(await until(() => lost.length === 2) >= 180)
})

t.test('rubbish in the feed is passed over, and kinds that are not known yet', async t => {
  const service = await startStandIn(t)
  const { heard, lost } = followFast(t, service)
  const feed = await service.connected()
  feed.send(': hello\nrubbish\nevent: weather\ndata: rain\n\nevent: revocation\ndata: {"kind":"planet","id":"pluto","expiresAt":1}\n\ndata: {}\n\n')
  feed.sync()
  await until(() => heard.length > 0)
  t.strictSame(heard, ['sync 0'])
  t.strictSame(lost, [])
})

const UNREADABLE = {
  'a revocation that is no JSON': 'event: revocation\ndata: {oops\n\n',
  'a revocation that is no object': 'event: revocation\ndata: null\n\n',
  'a revocation without an id': `event: revocation\ndata: {"kind":"session","expiresAt":${LATER}}\n\n`,
  'a revocation without an expiry': 'event: revocation\ndata: {"kind":"session","id":"s"}\n\n',
  'a user without a version': `event: revocation\ndata: {"kind":"user","id":"u","expiresAt":${LATER}}\n\n`,
  'an age that is none': 'event: sync\nid: 1\ndata: {"ageMs":-1}\n\n',
  'a sync without an age': 'event: sync\nid: 1\ndata: {}\n\n',
  'a sync with a clock that is none': 'event: sync\nid: 1\ndata: {"ageMs":0,"nowMs":"noon"}\n\n',
  'a sync with a clock of null': 'event: sync\nid: 1\ndata: {"ageMs":0,"nowMs":null}\n\n',
  'a line of few characters and many bytes': `data: ${'é'.repeat(40_000)}\n\n`,
  'a line without an end': 'x'.repeat(70_000)
}

for (const [name, text] of Object.entries(UNREADABLE)) {
  t.test(`${name} is not covered by the next sync: everything is asked for again`, async t => {
    const service = await startStandIn(t)
    const { heard, lost } = followFast(t, service)
    const feed = await service.connected()
    feed.sync(0, 'cursor')
    await until(() => heard.length === 1)
    const again = service.connected()
    feed.send(text)
    feed.sync(0, 'never')
    t.equal((await again).headers['last-event-id'], undefined)
    t.strictSame(heard, ['sync 0'])
    t.match(lost, [{ name: 'FeedParseError' }])
  })
}

t.test('what cannot be a cursor is not sent back', async t => {
  const service = await startStandIn(t)
  const { heard } = followFast(t, service)
  let feed = await service.connected()
  for (const cursor of ['é', '', 'x'.repeat(2049), 'a b']) {
    const { length } = heard
    feed.sync(0, cursor)
    await until(() => heard.length > length)
    feed.cut()
    feed = await service.connected()
    t.equal(feed.headers['last-event-id'], undefined, cursor)
  }
})

t.test('refused credentials are tried again, but slowly', async t => {
  const service = await startStandIn(t)
  for (const status of [401, 403]) {
    service.answer('/revocations', (_request, response) => response.writeHead(status).end())
    const { lost, close } = followFast(t, service)
    const before = service.asked['/revocations'] ?? 0
    const took = await until(() => lost.length === 3)
    t.ok(took > 350, `three attempts in ${took} ms`)
    t.equal((service.asked['/revocations'] ?? 0) - before, 3)
    t.match(lost[0], { name: 'FeedRefused', status, isUnauthorized: true })
    close()
  }
})

t.test('a token that has just run out is asked for anew at once, and then no sooner than others', async t => {
  const service = await startStandIn(t)
  service.answer('/revocations', (_request, response) => response.writeHead(403).end())
  const narrowed = followFast(t, service, { renewsToken: true, refusedWait: 60_000 })
  await until(() => narrowed.lost.length === 2)
  t.match(narrowed.lost[1], { name: 'FeedRefused', status: 403 }, 'and so is one that had another scope')
  narrowed.close()
  const refuse = (_request: unknown, response: ServerResponse) => response.writeHead(401).end()
  service.answer('/revocations', refuse)
  const patient = followFast(t, service, { renewsToken: true, refusedWait: 60_000 })
  await until(() => patient.lost.length === 2)
  patient.close()
  const asked: number[] = []
  service.answer('/revocations', (request, response) => {
    asked.push(performance.now())
    refuse(request, response)
  })
  const { heard, lost } = followFast(t, service, { renewsToken: true })
  await until(() => lost.length === 3)
  t.notOk('isUnauthorized' in (lost[0] ?? {}), 'which is a loss like any other')
  t.match(lost[1], { name: 'FeedRefused', status: 401 })
  const [, second = 0, third = 0] = asked
  t.ok(third - second > 99, `and then slowly: after ${third - second} ms`)
  service.answer('/revocations', undefined)
  const feed = await service.connected()
  feed.sync()
  await until(() => heard.length === 1)
  const before = lost.length
  service.answer('/revocations', (_request, response) => response.writeHead(401).end())
  feed.cut()
  await until(() => lost.length >= before + 2)
  t.match(lost[before + 1], { message: /refused the access token/ }, 'after a sync it begins anew')
})

t.test('what is no feed is none: other types, redirects, errors', async t => {
  const service = await startStandIn(t)
  const answers: Array<[number, Record<string, string>]> = [
    [200, { 'content-type': 'application/json' }], [204, {}], [302, { location: '/elsewhere' }], [307, { location: '/elsewhere' }], [404, {}], [500, {}], [200, { 'content-type': 'text/event-streams' }]
  ]
  for (const [status, headers] of answers) {
    service.answer('/revocations', (_request, response) => response.writeHead(status, headers).end('event: sync\ndata: {"ageMs":0}\n\n'))
    const { heard, lost, close } = followFast(t, service)
    await until(() => lost.length >= 2)
    close()
    t.match(lost[0], { status, isUnauthorized: false }, `${status}`)
    t.strictSame(heard, [])
  }
  t.equal(service.asked['/elsewhere'], undefined, 'nobody is followed elsewhere')
})

t.test('waits as long as it is asked to, within reason', async t => {
  const service = await startStandIn(t)
  service.answer('/revocations', (_request, response) => response.writeHead(503, { 'retry-after': '3600' }).end())
  const { lost } = followFast(t, service)
  const took = await until(() => lost.length === 2)
  t.ok(took >= 180, `${took} ms`)
})

t.test('waits longer after each failure in a row, and never all at once', async t => {
  const service = await startStandIn(t)
  const times: number[] = []
  service.answer('/revocations', (_request, response) => {
    times.push(performance.now())
    response.destroy()
  })
  followFast(t, service, { firstWait: 20, longestWait: 160 })
  await until(() => times.length === 7)
  const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0))
  t.ok((waits[0] ?? 0) >= 9, `${waits}`)
  t.ok(waits.slice(-2).every(wait => wait >= 79), `${waits}`)
  t.equal(new Set(waits.map(wait => wait.toFixed(3))).size, waits.length)
})

t.test('an access token in place of the secret is asked for at each connection', async t => {
  const service = await startStandIn(t)
  let asked = 0
  const lost: Error[] = []
  const follower = followFeed({
    url: new URL(service.url('/revocations')),
    authorize: async () => {
      if (++asked === 1) throw new Error('no token yet')
      return `Bearer ${asked}`
    },
    onRevocation: () => {},
    onSync: () => {},
    onLost: cause => lost.push(cause),
    timing: FAST
  })
  t.teardown(follower.close)
  const first = await service.connected()
  t.equal(first.headers.authorization, 'Bearer 2')
  t.match(lost, [{ message: 'no token yet' }])
  const again = service.connected()
  first.end()
  t.equal((await again).headers.authorization, 'Bearer 3')
})

t.test('closed, it lets go and does not come back', async t => {
  const service = await startStandIn(t)
  const verifier = follow(t, service)
  const feed = await service.connected()
  const waiting = verifier.ready()
  verifier.close()
  await t.rejects(waiting, { name: 'AbortError' })
  await feed.closed
  await t.rejects(verifier.ready(), { name: 'AbortError' })
  t.strictSame(verifier.warnings, [], 'which is no failure')
  t.equal(service.connections.length, 1)
})

t.test('waits no longer than it is told to be ready', async t => {
  const service = await startStandIn(t)
  const verifier = follow(t, service)
  await t.rejects(verifier.ready({ signal: AbortSignal.timeout(20) }), { name: 'AbortError' })
  const feed = await service.connected()
  feed.sync()
  await t.resolves(verifier.ready())
  await t.resolves(verifier.ready(), 'and at once afterwards')
})
