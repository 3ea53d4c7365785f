import fc from 'fast-check'
import t from 'tap'
import { createRevocationSet, type Revocation, type Revocable } from 'countersign-verifier/internal'

const LATER = 1_800_003_660
const token = (changes: Partial<Revocable> = {}): Revocable => ({ sessionId: 'session', subject: 'ada', version: 3, ...changes })

function setOf (...revocations: Revocation[]) {
  const set = createRevocationSet()
  for (const revocation of revocations) set.add(revocation)
  return set
}

t.test('nothing is revoked at first', async t => {
  t.notOk(setOf().has(token()))
  t.equal(setOf().size, 0)
})

t.test('a session ends alone', async t => {
  const set = setOf({ kind: 'session', id: 'session', expiresAt: LATER })
  t.ok(set.has(token()))
  t.ok(set.has(token({ subject: 'grace' })))
  t.notOk(set.has(token({ sessionId: 'another' })))
})

t.test('a user is revoked below a version', async t => {
  const set = setOf({ kind: 'user', id: 'ada', minVersion: 3, expiresAt: LATER })
  t.ok(set.has(token({ version: 2 })))
  t.ok(set.has(token({ version: 0 })))
  t.notOk(set.has(token({ version: 3 })))
  t.notOk(set.has(token({ version: 4 })))
  t.notOk(set.has(token({ subject: 'grace', version: 0 })))
})

t.test('a client is revoked with every token of its own', async t => {
  const set = setOf({ kind: 'client', id: 'client_reports', expiresAt: 10 })
  t.ok(set.has(token({ sessionId: '', subject: 'client_reports', version: 0 })))
  t.notOk(set.has(token({ sessionId: '', subject: 'client_other', version: 0 })))
  t.notOk(set.has(token({ sessionId: 'client_reports' })))
  t.equal(set.size, 1)
  set.prune(10)
  t.notOk(set.has(token({ sessionId: '', subject: 'client_reports', version: 0 })))
})

t.test('a client with a version is revoked with every token below it, and a removed one with all', async t => {
  const set = setOf({ kind: 'client', id: 'client_reports', minVersion: 3, expiresAt: 10 })
  const has = (version: number) => set.has(token({ sessionId: '', subject: 'client_reports', version }))
  t.strictSame([has(0), has(2), has(3), has(4)], [true, true, false, false])
  set.add({ kind: 'client', id: 'client_reports', expiresAt: 10 })
  set.add({ kind: 'client', id: 'client_reports', minVersion: 4, expiresAt: 11 })
  t.ok(has(1_000_000))
})

t.test('it says whether an entry told anything new', async t => {
  for (const id of ['ada', '01890a5d-ac96-774b-bcce-b302099a8057']) {
    const set = setOf()
    for (const kind of ['session', 'client'] as const) {
      t.ok(set.add({ kind, id, expiresAt: 10 }))
      t.notOk(set.add({ kind, id, expiresAt: 10 }))
      t.notOk(set.add({ kind, id, expiresAt: 9 }))
      t.ok(set.add({ kind, id, expiresAt: 11 }))
    }
    t.ok(set.add({ kind: 'user', id, minVersion: 2, expiresAt: 10 }))
    t.notOk(set.add({ kind: 'user', id, minVersion: 1, expiresAt: 10 }))
    t.ok(set.add({ kind: 'user', id, minVersion: 3, expiresAt: 5 }))
    t.ok(set.add({ kind: 'user', id, minVersion: 1, expiresAt: 11 }))
    t.notOk(set.add({ kind: 'user', id, minVersion: 3, expiresAt: 11 }))
  }
})

t.test('ids of one kind say nothing of the other', async t => {
  const sessions = setOf({ kind: 'session', id: 'ada', expiresAt: LATER })
  t.notOk(sessions.has(token()))
  const users = setOf({ kind: 'user', id: 'session', minVersion: Number.MAX_SAFE_INTEGER, expiresAt: LATER })
  t.notOk(users.has(token()))
  for (const id of ['__proto__', 'constructor', 'toString', '']) {
    t.notOk(sessions.has(token({ sessionId: id, subject: id })), id)
    t.ok(setOf({ kind: 'session', id, expiresAt: LATER }).has(token({ sessionId: id })), id)
  }
})

const entries = fc.array(fc.oneof(
  fc.tuple(fc.constantFrom('s1', 's2'), fc.nat(20)).map(([id, expiresAt]): Revocation => ({ kind: 'session', id, expiresAt })),
  fc.tuple(fc.constantFrom('c1', 'u1'), fc.nat(20)).map(([id, expiresAt]): Revocation => ({ kind: 'client', id, expiresAt })),
  fc.tuple(fc.constantFrom('c1', 'u1'), fc.nat(5), fc.nat(20)).map(([id, minVersion, expiresAt]): Revocation => ({ kind: 'client', id, minVersion, expiresAt })),
  fc.tuple(fc.constantFrom('u1', 'u2'), fc.nat(5), fc.nat(20)).map(([id, minVersion, expiresAt]): Revocation => ({ kind: 'user', id, minVersion, expiresAt }))
), { maxLength: 12 })
const tokens = ['s1', 's2'].flatMap(sessionId => ['u1', 'u2', 'c1'].flatMap(subject => [0, 1, 2, 3, 4, 5].map(version => ({ sessionId, subject, version }))))

t.test('entries may come late, twice and in any order', async t => {
  fc.assert(fc.property(entries, fc.array(fc.nat()), fc.nat(21), (entries, order, now) => {
    const shuffled = [...entries, ...entries].map((entry, index) => ({ entry, rank: order[index] ?? 0 })).sort((a, b) => a.rank - b.rank).map(({ entry }) => entry)
    const [one, other] = [setOf(...entries), setOf(...shuffled)]
    one.prune(now)
    other.prune(now)
    return one.size === other.size && tokens.every(token => one.has(token) === other.has(token))
  }))
  t.equal(setOf({ kind: 'session', id: 's', expiresAt: 1 }, { kind: 'session', id: 's', expiresAt: 1 }).size, 1)
})

t.test('a set filled from the pieces of another refuses the same tokens', async t => {
  const uuid = '01890a5d-ac96-774b-bcce-b302099a8057'
  fc.assert(fc.property(entries, entries => {
    const one = setOf(...entries, ...entries.map(entry => entry.id === 'c1' ? { ...entry, id: uuid } : entry))
    const told = [...one.pieces()].flatMap(({ read }) => read())
    // As they are sent: JSON has no Infinity.
    const other = setOf(...JSON.parse(JSON.stringify(told)) as Revocation[])
    return one.size === other.size && [...tokens, ...tokens.map(token => ({ ...token, subject: uuid }))].every(token => one.has(token) === other.has(token))
  }))
  for (const id of [uuid, 'client_reports']) {
    t.strictSame([...setOf({ kind: 'client', id, minVersion: 2, expiresAt: LATER }).pieces()].flatMap(({ read }) => read()), [{ kind: 'client', id, minVersion: 2, expiresAt: LATER }])
    t.strictSame([...setOf({ kind: 'client', id, expiresAt: LATER }).pieces()].flatMap(({ read }) => read()), [{ kind: 'client', id, expiresAt: LATER }])
  }
})

t.test('what was revoked stays so until every entry that says it has expired', async t => {
  fc.assert(fc.property(entries, fc.nat(21), (entries, now) => {
    const set = setOf(...entries)
    set.prune(now)
    const live = entries.filter(({ expiresAt }) => expiresAt > now)
    return tokens.every(token => set.has(token) || !live.some(entry =>
      entry.kind === 'session' ? entry.id === token.sessionId : entry.id === token.subject && token.version < (entry.minVersion ?? Infinity)))
  }))

  const set = setOf({ kind: 'session', id: 'session', expiresAt: 10 }, { kind: 'session', id: 'session', expiresAt: 5 })
  set.prune(9)
  t.ok(set.has(token()), 'the later of two expiries counts')
  set.prune(10)
  t.notOk(set.has(token()))
  t.equal(set.size, 0)
})

t.test('an entry with a lower version does not lower what is required', async t => {
  const set = setOf({ kind: 'user', id: 'ada', minVersion: 5, expiresAt: LATER }, { kind: 'user', id: 'ada', minVersion: 1, expiresAt: LATER })
  t.ok(set.has(token({ version: 4 })))
})
