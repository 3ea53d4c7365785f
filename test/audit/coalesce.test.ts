import t, { type Test } from 'tap'
import { createCoalesceStore } from '../../src/audit/coalesce-store.ts'
import { createCoalescer, type CoalescedEvent } from '../../src/audit/coalesce.ts'
import { DatabaseUnavailable } from '../../src/database/errors.ts'
import type { AuditEvent } from '../../src/audit/audit-event.ts'
import { openTestDatabase, silent } from '../support/database.ts'
import { until } from '../support/until.ts'

const ADA = '01890a5d-ac96-774b-bcce-b302099a8057'
const EVE = '01890a5d-ac96-774b-bcce-b302099a8058'
const SESSION = '01890a5d-ac97-7d3c-9a41-5f6f2b1f0c5e'
const failure = (from: Partial<AuditEvent> = {}): AuditEvent => ({ action: 'login', outcome: 'failure', subjectId: ADA, ip: '192.0.2.7', ...from })

/** A coalescer with a clock of the test's, and a database that can be away. */
function create (t: Test, every = 3_600_000) {
  const written: CoalescedEvent[][] = []
  const state = { now: 1_800_000_000_000, isAway: false }
  const coalescer = createCoalescer({
    async write (events) {
      if (state.isAway) throw new DatabaseUnavailable('away')
      written.push([...events])
    },
    log: silent,
    now: () => state.now,
    every
  })
  t.teardown(() => coalescer.close())
  const rows = () => {
    const times = new Map<string, number>()
    for (const { key, times: more } of written.flat()) times.set(key, (times.get(key) ?? 0) + more)
    return [...times.values()]
  }
  return { ...coalescer, written, state, rows }
}

t.test('the first is written at once, and its repetitions together', async t => {
  const { add, flush, written } = create(t)
  for (let n = 0; n < 100; n++) add(failure({ userAgent: `agent ${n}` }), 'network')
  await until(() => written.length > 0)
  for (let n = 0; n < 100; n++) add(failure(), 'network')
  await flush()
  await flush()
  t.strictSame(written.map(events => events.map(({ times }) => times)), [[100], [100]])
  t.match(written[0]?.[0]?.event, { userAgent: 'agent 0' })
})

t.test('accounts, networks, outcomes and details count apart; addresses of one network do not', async t => {
  const { add, flush, rows } = create(t)
  for (const from of [
    {}, { subjectId: EVE }, { subjectId: undefined }, { ip: '192.0.2.8' }, { ip: null }, { detail: { code: 'x' } }, { detail: { code: 'y' } }, { outcome: 'reused' } as const, { action: 'logout' } as const,
    { ip: '2001:db8::1' }, { ip: '2001:db8:0:0:ffff::2' }, { ip: '::ffff:192.0.2.8' }, { sessionId: SESSION }
  ]) add(failure(from), 'network')
  await flush()
  t.strictSame(rows(), [2, 1, 1, 2, 1, 1, 1, 1, 1, 2])
})

t.test('a row is for ten minutes, whatever is counted', async t => {
  const { add, flush, rows, state } = create(t)
  for (let second = 0; second < 1800; second += 10) {
    add(failure(), 'network')
    add({ action: 'refresh', outcome: 'repeated', subjectId: ADA, sessionId: SESSION, ip: '192.0.2.7' }, 'session')
    state.now += 10_000
  }
  await flush()
  t.strictSame(rows(), [60, 60, 60, 60, 60, 60])
})

const repeat = (from: Partial<AuditEvent>): AuditEvent => ({ action: 'refresh', outcome: 'repeated', subjectId: ADA, sessionId: SESSION, ip: '192.0.2.7', ...from })

t.test('sessions of one account share a row for each network', async t => {
  const { add, flush, rows, state } = create(t)
  for (let minute = 0; minute < 10; minute++) {
    for (let n = 0; n < 100; n++) add(repeat({ sessionId: `session ${n}`, ip: `192.0.2.${n % 2}` }), 'session')
    state.now += 60_000
  }
  await flush()
  t.strictSame(rows(), [500, 500])
})

t.test('a session counts for one network a minute, wherever it comes from', async t => {
  const { add, flush, rows, written, state } = create(t)
  for (let second = 0; second < 120; second++) {
    add(repeat({ ip: `192.0.2.${second}` }), 'session')
    state.now += 1000
  }
  await flush()
  t.strictSame(rows(), [60, 60])
  t.strictSame(written.flat().map(({ event }) => event.ip), ['192.0.2.0', '192.0.2.60'])
})

const stranger = (n: number) => failure({ subjectId: undefined, ip: `2001:db8:${(n >> 8).toString(16)}:${(n & 255).toString(16)}::1`, userAgent: 'x' })
const subject = (n: number) => `01890a5d-ac96-774b-bcce-${n.toString(16).padStart(12, '0')}`

t.test('failures of unknown accounts do not take the rows of known ones', async t => {
  const { add, flush, rows, written } = create(t)
  for (let n = 0; n < 4_096; n++) add(stranger(n), 'network')
  add(failure({ sessionId: SESSION }), 'network')
  await flush()
  t.equal(rows().length, 1024 + 1 + 1, 'a quarter, one for the others, and one for the known account')
  t.match(written.flat().at(-1)?.event, { subjectId: ADA, sessionId: SESSION, ip: '192.0.2.7' })
  t.match(written.flat().find(({ event }) => event.detail?.various)?.event, { action: 'login', subjectId: undefined, ip: undefined })
})

t.test('failures of one account do not take the rows of others', async t => {
  const { add, flush, rows, written } = create(t)
  for (let n = 0; n < 4_096; n++) add(failure({ ip: `10.0.${n >> 8}.${n & 255}` }), 'network')
  add(failure({ subjectId: EVE }), 'network')
  await flush()
  t.equal(rows().length, 128 + 1 + 1)
  t.match(written.flat().at(-1)?.event, { subjectId: EVE, ip: '192.0.2.7' })
})

t.test('beyond 4,096 rows an event still says whose it is, and for as many accounts more', async t => {
  const { add, flush, rows, written } = create(t)
  for (let n = 0; n < 10_000; n++) add(failure({ subjectId: subject(n) }), 'network')
  add(failure({ subjectId: subject(9_999), detail: { code: 'x' } }), 'network')
  await flush()
  t.equal(rows().length, 2 * 4_096 + 2)
  t.equal(rows().reduce((sum, times) => sum + times), 10_001, 'and none is lost')
  const events = written.flat().map(({ event }) => event)
  t.match(events[4_095], failure({ subjectId: subject(4_095) }))
  t.strictSame(events[4_096], { action: 'login', outcome: 'failure', actorId: undefined, subjectId: subject(4_096), detail: { various: true } })
  t.strictSame(events.slice(8_192), [{ action: 'login', outcome: 'failure', detail: { various: true } }, { action: 'login', outcome: 'failure', detail: { code: 'x', various: true } }])
})

t.test('what is over is forgotten', async t => {
  const { add, flush, state, written } = create(t, 5)
  for (let n = 0; n < 4096; n++) add(failure({ subjectId: subject(n) }), 'network')
  await flush()
  const isFull = async (ip: string) => {
    add(failure({ ip }), 'network')
    await flush()
    return written.at(-1)?.at(-1)?.event.detail?.various === true
  }
  t.equal(await isFull('192.0.2.1'), true)
  state.now += 600_000
  let n = 0
  await until(async () => !await isFull(`198.51.100.${++n % 256}`))
  t.ok(n > 0, 'there is room again')
})

t.test('what the database does not take is dropped with a warning, and keeps nothing else from being written', async t => {
  const database = await openTestDatabase(t)
  const warnings: object[] = []
  const { add, close } = createCoalescer({ write: createCoalesceStore(database), log: { warn: details => { warnings.push(details) } } })
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 10; n++) add(failure({ ip: `192.0.2.${n}`, ...n === 5 && { detail: { code: '\0' } } }), 'network')
    await until(() => warnings.length === 1)
  }
  await close()
  t.match(warnings, [{ action: 'login', subjectId: ADA, lost: 1 }])
  const rows = await database.query<{ times: number }>({ name: 'test-poisoned', text: 'SELECT sum(times)::int AS times FROM audit_events' }, [])
  t.strictSame(rows, [{ times: 18 }])
})

t.test('while the database is away nothing is lost, and one warning says so', async t => {
  const warnings: string[] = []
  const state = { isAway: true, tries: 0, written: [] as CoalescedEvent[] }
  const { add, close } = createCoalescer({
    async write (events) {
      state.tries++
      if (state.isAway) throw new DatabaseUnavailable('away')
      state.written.push(...events)
    },
    log: { warn: (_details, message) => { warnings.push(message) } },
    every: 10
  })
  for (let n = 0; n < 100; n++) {
    add(failure({ ip: `192.0.2.${n}` }), 'network')
    await until(() => state.tries > 0)
  }
  await until(() => state.tries > 3)
  t.strictSame(warnings, ['could not write audit events; trying again'])
  state.isAway = false
  await close()
  t.equal(state.written.reduce((sum, { times }) => sum + times, 0), 100)
})

t.test('a stop writes what was counted, and says what it could not write', async t => {
  const { add, close, rows } = create(t)
  for (let n = 0; n < 7; n++) add(failure(), 'network')
  await close()
  t.strictSame(rows(), [7])

  const lost: unknown[] = []
  const failing = createCoalescer({ write: async () => { throw new DatabaseUnavailable('away') }, log: { warn: details => { lost.push(details) } } })
  for (let n = 0; n < 7; n++) failing.add(failure(), 'network')
  await failing.close()
  t.match(lost.at(-1), { lost: 7 })
})

t.test('of several instances one row has all, whoever comes first', async t => {
  const database = await openTestDatabase(t)
  const instances = Array.from({ length: 4 }, () => createCoalescer({ write: createCoalesceStore(database), log: silent }))
  const addresses = Array.from({ length: 50 }, (_, n) => `192.0.2.${n}`)
  const at = Date.now()
  for (let round = 0; round < 5; round++) {
    for (const [index, { add }] of instances.entries()) for (const ip of index % 2 === 0 ? addresses : addresses.toReversed()) add(failure({ ip, userAgent: 'x', detail: { code: 'x' } }), 'network')
    await Promise.all(instances.map(({ flush }) => flush()))
  }
  await Promise.all(instances.map(({ close }) => close()))
  const rows = await database.query<{ times: number, isInOrder: boolean }>({ name: 'test-coalesced', text: 'SELECT times, last_at >= at AS "isInOrder" FROM audit_events' }, [])
  const windows = Math.floor(Date.now() / 600_000) - Math.floor(at / 600_000) + 1
  t.ok(rows.length >= 50 && rows.length <= 50 * windows, `${rows.length} rows`)
  t.equal(rows.reduce((sum, { times }) => sum + times, 0), 4 * 5 * 50)
  t.ok(rows.every(({ isInOrder }) => isInOrder))
})
