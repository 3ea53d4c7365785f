import fc from 'fast-check'
import t from 'tap'
import { createTimedQueue, type Ticket, type TimedQueue } from '../passwords/timed-queue.ts'

const HASH_MS = 30
const attacker = (n: number) => `203.0.113.${n % 40}`

/** In each round an attack, and one hash; in every fifth a known client comes. @returns the known clients, when all is done */
async function storm (timed: ReturnType<typeof createTimedQueue>, attack: () => Promise<void>): Promise<Ticket[]> {
  const known: Ticket[] = []
  for (let round = 0; round < 150; round++) {
    await attack()
    if (round % 5 === 4) known.push(await timed.ask(`198.51.100.${round}`, true))
    await timed.pass(HASH_MS)
    await timed.finish()
  }
  await timed.drain(HASH_MS)
  return known
}

t.test('a storm of strangers from 40 addresses does not keep a known client waiting', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 64 })
  t.teardown(() => timed[Symbol.dispose]())
  const known = await storm(timed, async () => { for (let n = 0; n < 40; n++) await timed.ask(attacker(n)) })
  t.equal(known.length, 30)
  t.ok(known.every(({ state }) => state === 'done'))
  t.ok(Math.max(...known.map(waited)) <= 2 * HASH_MS, 'it waits for what runs, and for one stranger at most')
  t.ok(timed.tickets.filter(({ state, account }) => state === 'done' && account === undefined).length > 100, 'strangers are served too')
})

t.test('more known clients than a third of the places hold are all served within a storm of strangers', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 64 })
  t.teardown(() => timed[Symbol.dispose]())
  for (let n = 0; n < 400; n++) await timed.ask(attacker(n))
  const known = await Promise.all(Array.from({ length: 22 }, (_, n) => timed.ask(`198.51.100.${n}`, true)))
  while (timed.running().length > 0 && timed.now < 10_000) {
    if (timed.now < 3000) for (let n = 0; n < 40; n++) await timed.ask(attacker(n))
    await timed.pass(HASH_MS)
    await timed.finish()
  }
  t.ok(known.every(({ state }) => state === 'done'))
  t.ok(Math.max(...known.map(waited)) < 2000)
})

t.test('a storm of one account from many networks does not keep other known clients out', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 64 })
  t.teardown(() => timed[Symbol.dispose]())
  const known = await storm(timed, async () => { for (let n = 0; n < 200; n++) await timed.ask(attacker(n), 'mallory') })
  t.equal(known.length, 30)
  t.ok(known.every(({ state }) => state === 'done'))
  // What that account has no place for counts as a stranger, and strangers have every other turn.
  t.ok(Math.max(...known.map(waited)) <= 4 * HASH_MS, 'it waits for what runs, and for one turn of that account')
})

t.test('a storm of known clients does not starve the strangers that wait', async t => {
  const timed = createTimedQueue({ concurrency: 1, limit: 64 })
  t.teardown(() => timed[Symbol.dispose]())
  for (let n = 0; n < 10; n++) await timed.ask(`192.0.2.${n}`)
  const strangers = timed.waiting()
  for (let round = 0; round < 100; round++) {
    for (let n = 0; n < 40; n++) await timed.ask(attacker(n), true)
    await timed.pass(HASH_MS)
    await timed.finish()
  }
  t.ok(strangers.every(({ state }) => state === 'done'))
  t.ok(Math.max(...strangers.map(waited)) <= 2 * 10 * HASH_MS)
})

t.test('whatever comes, the queue keeps its rules', async t => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('ask' as const), network: fc.nat(5), account: fc.option(fc.nat(4), { nil: undefined }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('finish' as const), which: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), which: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(900) }) }
  )
  const setting = fc.record({ concurrency: fc.integer({ min: 1, max: 4 }), limit: fc.oneof(fc.nat(8), fc.integer({ min: 9, max: 40 })) })

  await t.resolves(fc.assert(fc.asyncProperty(setting, fc.array(step, { minLength: 20, maxLength: 120 }), async (options, steps) => {
    const timed = createTimedQueue(options)
    try {
      const turns = watchTurns(timed)
      for (const step of steps) {
        if (step.kind === 'ask') await timed.ask(`192.0.2.${step.network}`, step.account !== undefined && `account ${step.account}`)
        if (step.kind === 'pass') await timed.pass(step.ms)
        if (step.kind === 'abort') timed.waiting()[step.which]?.abort()
        if (step.kind === 'finish') timed.running()[step.which]?.finish()
        await timed.pass(0)
        assertBounds(timed, options)
        turns.assertFair()
      }
      await timed.drain(10)
      assertAllSettled(timed)
    } finally {
      timed[Symbol.dispose]()
    }
  }), { numRuns: 300 }))
})

function waited ({ cameAt, beganAt = Infinity }: Ticket): number {
  return beganAt - cameAt
}

function assertBounds (timed: TimedQueue, { concurrency, limit }: { concurrency: number, limit: number }): void {
  const { queue, now } = timed
  const waiting = timed.waiting()
  const share = Math.max(1, Math.floor(limit / 8))
  const held = new Map<string, number>()
  for (const { address } of waiting) held.set(address, (held.get(address) ?? 0) + 1)

  check(timed.running().length <= concurrency, 'too many run')
  check(waiting.length <= limit, 'too many wait')
  check(waiting.length === 0 || timed.running().length === concurrency, 'a slot is idle while somebody waits')
  check([...held.values()].every(count => count <= share), 'a network is over its share')
  check(waiting.filter(({ isReserved }) => !isReserved).length <= Math.max(1, Math.floor(limit * 2 / 3)), 'strangers hold too much')
  check(waiting.every(({ cameAt }) => now - cameAt < 2000), 'somebody waits too long')
  const stats = queue.stats()
  check(stats.running === timed.running().length && stats.waiting === waiting.length, 'the figures are wrong')
  const reserved = waiting.filter(({ isReserved }) => isReserved)
  check(stats.waitingKnown === reserved.length, 'the figure of known clients is wrong')
  const ofAccount = reserved.map(({ account }) => account)
  check(ofAccount.every(account => ofAccount.filter(other => other === account).length <= 2), 'an account is over its share')
}

/** Between two turns of a network or account every other of its class that waits all the while has one; and so it is with the classes. */
function watchTurns (timed: TimedQueue): { assertFair (): void } {
  let seen = 0
  let before: Ticket[] = []
  const passedOver = new Map<Ticket, Set<string>>()
  const classPassedOver = new Map([[true, 0], [false, 0]])

  return {
    assertFair () {
      const fresh = timed.served.slice(seen)
      seen = timed.served.length
      for (const served of fresh.filter(ticket => before.includes(ticket))) {
        const rivals = before.filter(ticket => ticket !== served && ticket.state === 'waiting')
        const isKnown = served.isReserved
        const times = rivals.some(rival => isKnown !== rival.isReserved) ? (classPassedOver.get(!isKnown) ?? 0) + 1 : 0
        check(times <= 1, 'a class was passed over twice')
        classPassedOver.set(!isKnown, times).set(isKnown, 0)
        for (const rival of rivals.filter(rival => isKnown === rival.isReserved && groupOf(rival) !== groupOf(served))) {
          const over = passedOver.get(rival) ?? new Set()
          if (oldestOfGroup(rival, timed)) check(!over.has(groupOf(served)), 'a group was passed over twice')
          passedOver.set(rival, over.add(groupOf(served)))
        }
        for (const sibling of rivals.filter(rival => groupOf(rival) === groupOf(served))) passedOver.delete(sibling)
      }
      before = timed.waiting()
      for (const known of [true, false]) if (!before.some(({ isReserved }) => known === isReserved)) classPassedOver.set(known, 0)
    }
  }
}

function groupOf ({ address, account = '', isReserved }: Ticket): string {
  return isReserved ? account : address
}

function oldestOfGroup (ticket: Ticket, timed: TimedQueue): boolean {
  return timed.waiting().find(other => groupOf(other) === groupOf(ticket)) === ticket
}

function assertAllSettled (timed: TimedQueue): void {
  const { tickets, queue } = timed
  check(tickets.every(({ state }) => state !== 'waiting' && state !== 'running'), 'somebody was forgotten')
  check(tickets.every(({ settledAt }) => settledAt !== undefined), 'a promise never settled')
  check(tickets.every(ticket => ticket.beganAt === undefined || waited(ticket) < 2000), 'somebody was served too late')
  check(queue.stats().running === 0 && queue.stats().waiting === 0, 'the queue is not empty')
}

function check (holds: boolean, complaint: string): void {
  if (!holds) throw new Error(complaint)
}
