import t from 'tap'
import { createHashQueue, HashQueueFull } from '../../src/passwords/hash-queue.ts'
import { createTimedQueue } from './timed-queue.ts'

const address = (n: number) => `192.0.2.${n}`

t.test('a job runs at once while there is a slot, and gives its result', async t => {
  const queue = createHashQueue({ concurrency: 1, limit: 0 })
  t.equal(await queue.run(async () => 7, { address: address(1) }), 7)
  await t.rejects(queue.run(async () => { throw new Error('broken') }, { address: address(1) }), /broken/)
  await t.rejects(queue.run(() => { throw new Error('thrown') }, { address: address(1) }), /thrown/)
  t.match(queue.stats(), { running: 0, waiting: 0 }, 'a failed job gives its slot back')
})

t.test('no more than `concurrency` run, and the slot passes to the next', async t => {
  const timed = createTimedQueue({ concurrency: 2, limit: 8 })
  t.teardown(() => timed[Symbol.dispose]())
  for (const n of [1, 2, 3, 4]) await timed.ask(address(n))
  t.match(timed.queue.stats(), { running: 2, waiting: 2 })
  timed.running()[0]?.finish()
  await timed.pass(0)
  t.match(timed.queue.stats(), { running: 2, waiting: 1 })
  t.equal(timed.tickets[2]?.state, 'running')
  await timed.drain()
  t.ok(timed.tickets.every(({ state }) => state === 'done'))
  t.match(timed.queue.stats(), { running: 0, waiting: 0 })
})

t.test('overflow is refused at once, and told when to come back', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 24 })
  t.teardown(() => timed[Symbol.dispose]())
  for (let n = 0; n < 40; n++) await timed.ask(address(n))
  t.equal(timed.waiting().length, 16, 'strangers have two thirds of the places')
  const refused = timed.tickets.filter(({ state }) => state === 'full')
  t.equal(refused.length, 23)
  for (const { error, settledAt } of refused) {
    t.equal(settledAt, 0)
    t.match(error, { name: 'HashQueueFull', retryAfterSeconds: 2 })
  }
  for (let n = 100; n < 120; n++) await timed.ask(address(n), true)
  t.match(timed.queue.stats(), { waiting: 24, waitingKnown: 8, refused: 23 + 12 })
})

t.test('with no places at all nobody waits', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 0 })
  t.teardown(() => timed[Symbol.dispose]())
  await timed.ask(address(1))
  t.equal((await timed.ask(address(2))).state, 'full')
  t.equal((await timed.ask(address(3), true)).state, 'full')
})

t.test('no network holds over an eighth of the places', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 32 })
  t.teardown(() => timed[Symbol.dispose]())
  await timed.ask(address(1))
  for (let n = 1; n < 10; n++) await timed.ask(`2001:db8:0:1::${n}`)
  t.equal(timed.waiting().length, 4, 'a /64 is one network')
  for (let n = 1; n < 10; n++) await timed.ask(n % 2 ? address(9) : `::ffff:${address(9)}`)
  t.equal(timed.waiting().length, 8, 'an IPv4 address is the same when mapped to IPv6')
})

t.test('the share of a network and of strangers is a whole number, and never none', async t => {
  const shares: Array<[limit: number, network: number, strangers: number]> = [[1, 1, 1], [2, 1, 1], [3, 1, 2], [15, 1, 10], [16, 2, 10], [63, 7, 42], [64, 8, 42]]
  for (const [limit, network, strangers] of shares) {
    const timed = createTimedQueue({ concurrency: 1, limit })
    await timed.ask(address(0))
    for (let n = 0; n < limit; n++) await timed.ask(address(200))
    t.equal(timed.waiting().length, network, `one network's of ${limit}`)
    for (let n = 0; n < limit; n++) await timed.ask(address(n))
    t.equal(timed.waiting().length, strangers, `strangers' of ${limit}`)
    timed[Symbol.dispose]()
  }
})

t.test('networks are served in turns, whoever came first', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 32 })
  t.teardown(() => timed[Symbol.dispose]())
  await timed.ask(address(0))
  for (const n of [1, 1, 1, 1, 2, 2, 3]) await timed.ask(address(n))
  await timed.drain()
  t.strictSame(timed.served.slice(1).map(ticket => ticket.address), [1, 2, 3, 1, 2, 1, 1].map(address))
})

t.test('known clients and strangers take turns while both wait', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 64 })
  t.teardown(() => timed[Symbol.dispose]())
  await timed.ask(address(0))
  for (const n of [1, 2, 3, 4]) await timed.ask(address(n))
  for (const n of [11, 12, 13]) await timed.ask(address(n), true)
  await timed.drain()
  t.strictSame(timed.served.slice(1).map(({ account }) => account !== undefined), [true, false, true, false, true, false, false])
})

t.test('a known client takes the place of a stranger at its own address, when that has its share', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 16 })
  t.teardown(() => timed[Symbol.dispose]())
  await timed.ask(address(0))
  const first = await timed.ask(address(1))
  const second = await timed.ask(address(1))
  const known = await timed.ask(address(1), true)
  t.strictSame([first, second, known].map(({ state }) => state), ['waiting', 'full', 'waiting'])
  const another = await timed.ask(address(1), true)
  t.strictSame([first, another].map(({ state }) => state), ['full', 'waiting'])
  t.equal((await timed.ask(address(1), true)).state, 'full', 'but never that of another known client')
})

t.test('an account has two places and no more, from however many networks', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 24 })
  t.teardown(() => timed[Symbol.dispose]())
  await timed.ask(address(0))
  for (let n = 1; n <= 40; n++) await timed.ask(address(n), 'mallory')
  t.match(timed.queue.stats(), { waiting: 2 + 16, waitingKnown: 2 }, 'beyond them it has the places of strangers, and no other')
  await timed.finish()
  t.equal((await timed.ask(address(41), 'mallory')).state, 'waiting', 'one has been served')
  t.match(timed.queue.stats(), { waiting: 2 + 16, waitingKnown: 2 })
  for (let n = 50; n < 56; n++) t.equal((await timed.ask(address(n), true)).state, 'waiting', 'a third is left to other known clients')
})

t.test('beyond its two places a known client is refused only where a stranger would be', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 64 })
  t.teardown(() => timed[Symbol.dispose]())
  await timed.ask(address(0))
  for (let n = 0; n < 9; n++) await timed.ask(address(1), 'ada')
  t.strictSame(timed.tickets.slice(1).map(({ state }) => state), [...Array<string>(8).fill('waiting'), 'full'], 'the share of its network')
  t.equal((await timed.ask(address(1), 'grace')).state, 'waiting', 'of which it makes room for another known client')
  t.strictSame(timed.tickets.slice(1, 10).map(({ state }) => state), [...Array<string>(7).fill('waiting'), 'full', 'full'])
  t.equal((await timed.ask(address(2))).state, 'waiting')
  await timed.drain()
  t.strictSame(timed.served.slice(1).map(({ account, address }) => account ?? address), ['ada', 'ada', 'grace', address(2), 'ada', 'ada', 'ada', 'ada', 'ada'], 'and it is served in turns with them')
})

t.test('known clients are served in turns of their accounts, whoever came first', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 64 })
  t.teardown(() => timed[Symbol.dispose]())
  await timed.ask(address(0))
  for (const [n, account] of [[1, 'ada'], [2, 'ada'], [3, 'grace'], [3, 'edsger']] as const) await timed.ask(address(n), account)
  await timed.drain()
  t.strictSame(timed.served.slice(1).map(({ account }) => account), ['ada', 'grace', 'edsger', 'ada'])
})

t.test('where all places are taken, the second of an account goes to an account that has none', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 4 })
  t.teardown(() => timed[Symbol.dispose]())
  await timed.ask(address(0))
  const [first, second, third, fourth] = [await timed.ask(address(1), 'mallory'), await timed.ask(address(2), 'mallory'), await timed.ask(address(3), 'trudy'), await timed.ask(address(4), 'trudy')]
  const ada = await timed.ask(address(5), 'ada')
  t.strictSame([first, second, third, fourth, ada].map(ticket => ticket.state), ['waiting', 'waiting', 'waiting', 'full', 'waiting'])
  t.equal((await timed.ask(address(6), 'ada')).state, 'full', 'but no second one for a second')
})

t.test('where each account has one, a place of the most crowded network goes to another network', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 16 })
  t.teardown(() => timed[Symbol.dispose]())
  await timed.ask(address(0))
  for (let n = 0; n < 16; n++) await timed.ask(address(1 + n % 8), `mallory ${n}`)
  t.equal(timed.waiting().length, 16)
  t.equal((await timed.ask(address(100), 'ada')).state, 'waiting')
  t.equal((await timed.ask(address(1), 'mallory 99')).state, 'full')
  t.match(timed.queue.stats(), { waiting: 16, waitingKnown: 16 })
})

t.test('accounts of one network share its places, and none has two while another has none', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 16 })
  t.teardown(() => timed[Symbol.dispose]())
  await timed.ask(address(0))
  const [first, second] = [await timed.ask(address(1), 'mallory'), await timed.ask(address(1), 'mallory')]
  const ada = await timed.ask(address(1), 'ada')
  t.strictSame([first, second, ada].map(({ state }) => state), ['waiting', 'full', 'waiting'])
  t.equal((await timed.ask(address(1), 'grace')).state, 'full')
})

t.test('a closed socket leaves the queue at once and frees its place', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 3 })
  t.teardown(() => timed[Symbol.dispose]())
  await timed.ask(address(0))
  const gone = await timed.ask(address(1))
  await timed.ask(address(2))
  gone.abort()
  await timed.pass(0)
  t.match(gone, { state: 'aborted', error: new Error('closed') })
  t.match(timed.queue.stats(), { waiting: 1, abandoned: 1 })
  t.equal((await timed.ask(address(3))).state, 'waiting')
  await timed.drain()
  t.notOk(timed.served.includes(gone))
})

t.test('a socket closed before its turn is asked for runs nothing', async t => {
  const queue = createHashQueue({ concurrency: 1, limit: 3 })
  const place = { address: address(1), signal: AbortSignal.abort(new Error('closed')) }
  await t.rejects(queue.run(async () => t.fail('must not run'), place), /closed/)
  t.match(queue.stats(), { running: 0 })
})

t.test('a socket closed while its job runs gives up neither the job nor the slot', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 3 })
  t.teardown(() => timed[Symbol.dispose]())
  const ticket = await timed.ask(address(1))
  ticket.abort()
  await timed.pass(0)
  t.equal(ticket.state, 'running')
  t.match(timed.queue.stats(), { running: 1 })
  await timed.finish()
  t.equal(ticket.state, 'done')
})

t.test('nobody waits over the longest wait, and a place is free again when it is out', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 3 })
  t.teardown(() => timed[Symbol.dispose]())
  await timed.ask(address(0))
  const first = await timed.ask(address(1))
  await timed.pass(500)
  const second = await timed.ask(address(2))
  await timed.pass(1499)
  t.equal(first.state, 'waiting')
  await timed.pass(1)
  t.match(first, { state: 'full', settledAt: 2000 })
  t.ok(first.error instanceof HashQueueFull)
  t.equal(second.state, 'waiting')
  t.equal((await timed.ask(address(3))).state, 'waiting')
  await timed.pass(500)
  t.match(second, { state: 'full', settledAt: 2500 })
  t.match(timed.queue.stats(), { waiting: 1, expired: 2 })
})

t.test('whose time is out is not served, even if the timer is late', async t => {
  let now = 0
  const queue = createHashQueue({ concurrency: 1, limit: 3, clock: () => now })
  let finish = () => {}
  const running = queue.run(() => new Promise<void>(resolve => { finish = resolve }), { address: address(1) })
  const late = queue.run(async () => t.fail('must not run'), { address: address(2) })
  now = 2000
  finish()
  await running
  await t.rejects(late, HashQueueFull)
})

t.test('an empty queue holds no timer, so that the process can end', async t => {
  const timers = () => process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length
  const before = timers()
  const queue = createHashQueue({ concurrency: 1, limit: 8, maxWaitMs: 60_000 })
  let finish = () => {}
  const jobs = [
    queue.run(() => new Promise<void>(resolve => { finish = resolve }), { address: address(1) }),
    queue.run(async () => {}, { address: address(2) }),
    queue.run(async () => {}, { address: address(3) })
  ]
  t.equal(timers(), before + 1, 'one timer does for all who wait')
  finish()
  await Promise.all(jobs)
  t.equal(timers(), before)
})

t.test('the time to come back stays between 1 and 29 s', async t => {
  t.strictSame([0, 1, 2000, 2001, 3_600_000].map(ms => new HashQueueFull(ms).retryAfterSeconds), [1, 1, 2, 3, 29])
})
