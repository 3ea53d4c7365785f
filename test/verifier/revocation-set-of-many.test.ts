import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { createRevocationSet } from 'countersign-verifier/internal'

const id = (sessionId: string) => ({ sessionId, subject: '', version: 0 })
const flipped = (uuid: string, at: number) => uuid.slice(0, at) + (uuid[at] === '0' ? '1' : '0') + uuid.slice(at + 1)

t.test('a set of many thousands knows each of them, and nobody else', t => {
  const set = createRevocationSet()
  const ids = Array.from({ length: 20_000 }, () => randomUUID())
  for (const [index, session] of ids.entries()) set.add({ kind: 'session', id: session, expiresAt: 100 + index })
  for (const [index, user] of ids.entries()) set.add({ kind: 'user', id: user, minVersion: index, expiresAt: 100 + index })
  t.equal(set.size, 40_000)
  t.ok(ids.every(session => set.hasSession(session)))
  t.ok(ids.every((subject, version) => !set.has({ sessionId: '', subject, version }) && (version === 0 || set.has({ sessionId: '', subject, version: version - 1 }))))
  t.notOk(Array.from({ length: 20_000 }, () => randomUUID()).some(stranger => set.hasSession(stranger)))

  set.prune(100 + 15_000)
  t.equal(set.size, 2 * 4_999)
  t.strictSame(ids.filter(session => set.hasSession(session)), ids.slice(15_001))
  set.prune(200_000)
  t.equal(set.size, 0)
  t.notOk(ids.some(session => set.hasSession(session)))
  t.end()
})

t.test('UUIDs that differ in one digit are different', t => {
  const uuid = '01890a5d-ac96-774b-bcce-b302099a8057'
  const set = createRevocationSet()
  set.add({ kind: 'session', id: uuid, expiresAt: 10 })
  t.ok(set.hasSession(uuid))
  for (let at = 0; at < uuid.length; at++) t.notOk(set.hasSession(flipped(uuid, at)), `at ${at}`)
  for (const other of [uuid.toUpperCase(), uuid.slice(1), `${uuid}0`, ` ${uuid}`, uuid.replaceAll('-', ''), `${'x'.repeat(28)}099a8057`, uuid.replace('a', 'ａ')]) {
    t.notOk(set.hasSession(other), other)
    set.add({ kind: 'session', id: other, expiresAt: 10 })
    t.ok(set.hasSession(other), other)
  }
  t.equal(set.size, 8)
  t.end()
})

t.test('it agrees with a simple map, whatever is added and whenever it is pruned', t => {
  const uuids = ['a', 'b', 'c'].map(digit => `01890a5d-ac96-774b-bcce-b302099a805${digit}`)
  const ids = fc.constantFrom(...uuids, ...uuids.map(uuid => flipped(uuid, 0)), 'session', '')
  const steps = fc.array(fc.oneof(
    fc.record({ id: ids, expiresAt: fc.nat(30) }),
    fc.record({ now: fc.nat(30) })
  ), { maxLength: 60 })
  fc.assert(fc.property(steps, steps => {
    const set = createRevocationSet()
    const model = new Map<string, number>()
    for (const step of steps) {
      if ('now' in step) {
        set.prune(step.now)
        for (const [each, expiresAt] of model) if (expiresAt <= step.now) model.delete(each)
      } else {
        set.add({ kind: 'session', ...step })
        model.set(step.id, Math.max(step.expiresAt, model.get(step.id) ?? 0))
      }
    }
    return set.size === model.size && [...uuids, ...uuids.map(uuid => flipped(uuid, 0)), 'session', ''].every(each => set.has(id(each)) === model.has(each))
  }))
  t.equal(createRevocationSet().size, 0)
  t.end()
})

t.test('adding and dropping for ever takes no more room, and loses nothing', t => {
  const set = createRevocationSet()
  for (let now = 0; now < 300; now++) {
    const fresh = Array.from({ length: 100 }, () => randomUUID())
    for (const session of fresh) set.add({ kind: 'session', id: session, expiresAt: now + 5 })
    set.prune(now)
    if (!fresh.every(session => set.hasSession(session))) t.fail(`something was lost at ${now}`)
  }
  t.equal(set.size, 500)
  t.end()
})
