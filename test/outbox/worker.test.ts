import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { openDatabase } from '../../src/database/open-database.ts'
import type { Delivery, OutboxMessage } from '../../src/outbox/message.ts'
import { retryDelay } from '../../src/outbox/retry-delay.ts'
import { onPostgres, openTestDatabase, silent, testDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'
import { DELIVERED, outboxOn } from './outbox.ts'

/** A promise, and what resolves it. */
function promised<T> (): { promise: Promise<T>, resolve: (value: T) => void } {
  let settle: (value: T) => void = () => {}
  const promise = new Promise<T>(resolve => { settle = resolve })
  return { promise, resolve: settle }
}

const REFUSED: Delivery = { outcome: 'undeliverable', reason: '550 no such mailbox' }

t.test('delivers a message with its payload, and removes it', async t => {
  const { queue, rows, work } = outboxOn(t, await openTestDatabase(t))
  const delivered: OutboxMessage[] = []
  const id = await queue({ text: 'hello' })
  const { counts } = work(async message => { delivered.push(message); return DELIVERED })
  await until(async () => (await rows()).length === 0)
  t.match(delivered, [{ id, kind: 'note', userId: null, payload: { text: 'hello' }, attempts: 1 }])
  t.equal(counts.sent, 1)
})

t.test('is woken by its own instance, long before it would look again', async t => {
  const { queue, store, work } = outboxOn(t, await openTestDatabase(t))
  let looked = 0
  const claim = store.claim
  store.claim = async request => { looked++; return claim(request) }
  const delivered = promised<void>()
  const { wake } = work(async () => { delivered.resolve(); return DELIVERED }, { pollEvery: 3_600_000 })
  await until(() => looked === 1)
  await queue({})
  wake()
  await delivered.promise
  t.equal(looked, 2)
})

t.test('leaves kinds that it does not know to another version of the service', async t => {
  const { queue, rows, work } = outboxOn(t, await openTestDatabase(t))
  await queue({}, { kind: 'of the next version' })
  await queue({})
  work(async () => DELIVERED)
  await until(async () => (await rows()).length === 1)
  t.match(await rows(), [{ kind: 'of the next version', attempts: 0 }])
})

t.test('tries again what failed, later each time', async t => {
  const { queue, rows, makeDue, work } = outboxOn(t, await openTestDatabase(t))
  await queue({})
  let outcome: Delivery = { outcome: 'retry', reason: '451 try again' }
  work(async () => outcome)
  for (const [attempts, wait] of [[1, 5], [2, 10], [3, 20]] as const) {
    await until(async () => (await rows()).some(row => row.attempts === attempts && row.claim === null))
    const [row] = await rows()
    t.ok(row !== undefined && row.dueIn > wait * 0.8 - 2 && row.dueIn <= wait * 1.2, `${row?.dueIn} s after attempt ${attempts}`)
    t.match(row, { deadAt: null, lastError: '451 try again' })
    if (attempts === 3) outcome = DELIVERED
    await makeDue()
  }
  await until(async () => (await rows()).length === 0)
})

t.test('waits 5 s · 2ⁿ, a fifth more or less, and never longer than 10 min', async t => {
  t.strictSame([1, 2, 3, 7].map(attempts => retryDelay(attempts, () => 0.5)), [5, 10, 20, 320])
  t.strictSame([retryDelay(1, () => 0), retryDelay(1, () => 1)].map(Math.round), [4, 6])
  t.strictSame([8, 9, 1000].map(attempts => retryDelay(attempts, () => 1)), [600, 600, 600])
})

t.test('what a channel throws is tried again too, and is logged', async t => {
  const { queue, rows, work, logged } = outboxOn(t, await openTestDatabase(t))
  await queue({})
  work(async () => { throw new TypeError('a mistake') })
  await until(async () => (await rows()).some(({ lastError }) => lastError === 'TypeError'))
  t.match(await rows(), [{ attempts: 1, claim: null, deadAt: null }])
  t.strictSame(logged, ['delivery failed unexpectedly'])
})

t.test('buries what can never be delivered, until somebody has it tried again', async t => {
  const { queue, rows, store, work } = outboxOn(t, await openTestDatabase(t))
  const id = await queue({ to: 'nobody' })
  let tried = 0
  const { counts } = work(async () => { tried++; return tried === 1 ? REFUSED : DELIVERED })
  await until(async () => (await rows()).some(({ deadAt }) => deadAt !== null))
  t.match(await store.list({ kinds: ['note'], dead: true }), [{ id, lastError: '550 no such mailbox', attempts: 1 }])
  t.equal(counts.failed, 1)
  t.equal(await store.revive(crypto.randomUUID(), ['note']), false)
  t.equal(await store.revive(id, ['another kind']), false)
  t.equal(tried, 1)
  t.equal(await store.revive(id, ['note']), true)
  await until(async () => (await rows()).length === 0)
  t.equal(tried, 2)
})

t.test('a pause of the channel counts no attempt, and nothing is claimed while it lasts', async t => {
  const { queue, rows, makeDue, work, store } = outboxOn(t, await openTestDatabase(t))
  await queue({})
  let paused = 0
  let tried = 0
  let looked = 0
  const count = store.count
  store.count = async () => { looked++; return count() }
  const { wake } = work(async () => {
    tried++
    if (tried > 1) return DELIVERED
    paused = 60_000
    return { outcome: 'paused', reason: '535 wrong password' }
  }, { pausedFor: () => paused })
  await until(async () => (await rows()).some(({ lastError }) => lastError !== null))
  t.match(await rows(), [{ attempts: 0, claim: null, deadAt: null, lastError: '535 wrong password' }])
  await makeDue()
  wake()
  for (let turns = 0; turns < 50; turns++) await turn()
  t.equal(tried, 1)
  paused = 0
  await until(async () => (await rows()).length === 0)
  t.equal(tried, 2)
  t.ok(looked > 0)
})

t.test('nothing that has expired is sent; it is shown without what it said, and deleted after 14 days', async t => {
  const database = await openTestDatabase(t)
  const { queue, rows, store, work } = outboxOn(t, database)
  const delivered: unknown[] = []
  await queue({ text: 'late' }, { expiresIn: 20 })
  const deadId = await queue({ text: 'refused' })
  await queue({ text: 'in time' }, { expiresIn: 40 })
  work(async ({ payload }) => { delivered.push(payload); return delivered.length === 1 ? REFUSED : DELIVERED })
  await until(async () => (await rows()).length === 2 && delivered.length === 2)
  t.strictSame(delivered, [{ text: 'refused' }, { text: 'in time' }])

  const [expire, purge] = store.purges
  t.equal(await expire(10), 1)
  t.match(await rows(), [{ payload: '', lastError: 'expired before it was tried' }, { id: deadId, payload: /./ }])
  await database.query({ name: 'test.expired', text: "UPDATE outbox SET expires_at = now() - interval '1 second'" }, [])
  t.equal(await expire(10), 1)
  t.match(await rows(), [{ payload: '' }, { payload: '', lastError: '550 no such mailbox' }])
  t.equal(await store.revive(deadId, ['note']), false, 'and cannot be tried again')
  t.equal(await expire(10), 0)
  t.equal(await purge(10), 0)
  await database.query({ name: 'test.old', text: "UPDATE outbox SET dead_at = now() - interval '15 days' WHERE id = $1::uuid" }, [deadId])
  t.equal(await purge(10), 1)
  t.equal((await rows()).length, 1)
})

t.test('a message whose worker died is another\'s when the lease ends, and the dead one changes nothing any more', async t => {
  const { queue, rows, makeDue, store, work } = outboxOn(t, await openTestDatabase(t))
  const id = await queue({})
  const claim = crypto.randomUUID()
  t.equal((await store.claim({ claim, kinds: ['note'], limit: 10, lease: 60 })).length, 1)
  t.equal((await store.claim({ claim: crypto.randomUUID(), kinds: ['note'], limit: 10, lease: 60 })).length, 0)
  const [claimed] = await rows()
  t.ok(claimed !== undefined && claimed.dueIn > 50 && claimed.dueIn <= 60)

  await makeDue()
  const begun = promised<void>()
  const result = promised<Delivery>()
  work(() => { begun.resolve(); return result.promise })
  await begun.promise
  await store.remove(id, claim)
  await store.bury(id, claim, 'from the grave')
  await store.postpone(id, claim, { delay: 0, isCounted: true, reason: 'from the grave' })
  t.match(await rows(), [{ attempts: 2, deadAt: null, lastError: null }])
  result.resolve(DELIVERED)
  await until(async () => (await rows()).length === 0)
})

t.test('what it cannot decrypt it leaves for an instance that can', async t => {
  const database = await openTestDatabase(t)
  const { queue, rows } = outboxOn(t, database)
  await queue({})
  outboxOn(t, database).work(async () => DELIVERED)
  await until(async () => (await rows()).some(({ lastError, claim }) => lastError !== null && claim === null))
  t.match(await rows(), [{ deadAt: null, lastError: /COUNTERSIGN_SECRET/ }])
})

t.test('keeps the order of a lane, while other messages go on', async t => {
  const { queue, rows, makeDue, work } = outboxOn(t, await openTestDatabase(t))
  for (const text of ['a1', 'a2', 'a3']) await queue({ text }, { lane: 'a' })
  for (const text of ['b1', 'b2']) await queue({ text }, { lane: 'b' })
  await queue({ text: 'free' })
  const done: string[] = []
  let refuse = true
  work(async ({ payload }) => {
    const { text } = payload as { text: string }
    if (text === 'a1' && refuse) return { outcome: 'retry', reason: 'later' }
    done.push(text)
    return DELIVERED
  })
  await until(() => done.length === 3)
  t.strictSame([...done].sort(), ['b1', 'b2', 'free'])
  t.ok(done.indexOf('b1') < done.indexOf('b2'))
  refuse = false
  await makeDue()
  await until(async () => (await rows()).length === 0)
  t.strictSame(done.slice(3), ['a1', 'a2', 'a3'])
})

t.test('stopping takes no more messages, and waits for those in flight', async t => {
  const { queue, rows, work } = outboxOn(t, await openTestDatabase(t))
  for (let count = 0; count < 12; count++) await queue({ count })
  let begun = 0
  const result = promised<Delivery>()
  const worker = work(() => { begun++; return result.promise })
  await until(() => begun === 10)
  let isClosed = false
  const closing = worker.close().then(() => { isClosed = true })
  for (let turns = 0; turns < 50; turns++) await turn()
  t.equal(isClosed, false)
  result.resolve(DELIVERED)
  await closing
  t.equal(begun, 10)
  t.equal((await rows()).length, 2)
})

t.test('stopping ends what takes too long, which another instance then takes', async t => {
  const { queue, rows, work } = outboxOn(t, await openTestDatabase(t))
  await queue({})
  await queue({ deaf: true })
  let begun = 0
  const worker = work((message, signal) => {
    begun++
    if ((message.payload as { deaf?: boolean }).deaf) return new Promise(() => {})
    return new Promise(resolve => signal.addEventListener('abort', () => resolve({ outcome: 'retry', reason: 'aborted' })))
  }, { stopWithin: 20 })
  await until(() => begun === 2)
  await worker.close()
  const left = await rows()
  t.match(left[0], { claim: null, attempts: 1, lastError: 'aborted' })
  t.match(left[1], { claim: /./, attempts: 1 }, 'what heeds no signal is left to the lease')
})

t.test('an outage of the database is logged once, and over when it is over', async t => {
  const { queue, rows, store, work, logged } = outboxOn(t, await openTestDatabase(t))
  await queue({})
  const { claim } = store
  let failures = 0
  store.claim = async () => { failures++; throw new Error('connection refused') }
  work(async () => DELIVERED)
  await until(() => failures >= 3)
  store.claim = claim
  await until(async () => (await rows()).length === 0)
  t.strictSame(logged, ['outbox cannot be read', 'outbox read again'])
})

t.test('what was delivered is removed though the database fails for a moment', async t => {
  const { queue, rows, store, work } = outboxOn(t, await openTestDatabase(t))
  await queue({})
  const { remove } = store
  let delivered = 0
  store.remove = async () => { store.remove = remove; throw new Error('connection refused') }
  work(async () => { delivered++; return DELIVERED })
  await until(async () => (await rows()).length === 0)
  t.equal(delivered, 1)
})

t.test('of several workers each message has one', { ...onPostgres }, async t => {
  const place = { ...await testDatabase(t), log: silent }
  const databases = await Promise.all(Array.from({ length: 3 }, () => openDatabase({ ...place })))
  t.teardown(() => Promise.all(databases.map(database => database.close())))
  const outboxes = databases.map(database => outboxOn(t, database))
  const [first] = outboxes
  if (first === undefined) throw new Error('no database')
  for (let count = 0; count < 600; count++) await first.queue({ count })
  const delivered: string[] = []
  for (const { store } of outboxes) {
    // Two workers an instance, all with the first one's key.
    for (let worker = 0; worker < 2; worker++) first.workOn(store, async ({ id }) => { delivered.push(id); await turn(); return DELIVERED })
  }
  await until(async () => (await first.rows()).length === 0, 30_000)
  t.equal(delivered.length, 600)
  t.equal(new Set(delivered).size, 600)
})
