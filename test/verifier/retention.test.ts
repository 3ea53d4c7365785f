import t from 'tap'
import { createLedgerClock } from '../../verifier/src/clocks/ledger-clock.ts'
import { createRetention } from '../../verifier/src/feed/retention.ts'
import { LEDGER_LIFE } from '../../verifier/src/limits.ts'
import { createRevocationSet } from '../../verifier/src/revocation-set.ts'

const NOW = 1_800_000_000
const TOKEN = { sessionId: 's', subject: 'u', version: 1 }

/** A follower whose clocks are moved by hand. Times are seconds. */
function follower ({ ahead = 0 } = {}) {
  let [wall, monotonic] = [NOW + ahead, 77]
  const set = createRevocationSet()
  const retention = createRetention({ clock: () => wall * 1000, monotonic: () => monotonic * 1000 })
  return {
    hear: (expiresAt: number) => set.add(retention.keep({ kind: 'session', id: TOKEN.sessionId, expiresAt })),
    sync: (now?: number) => retention.onSync(now === undefined ? undefined : now * 1000),
    setClock: (now: number) => { wall = now },
    pass (seconds: number) {
      wall += seconds
      monotonic += seconds
    },
    /** Whether it still knows, after it has looked for what can be forgotten. */
    knows () {
      set.prune(retention.expiredBy())
      return set.has(TOKEN)
    }
  }
}

t.test('a clock that is hours ahead makes nothing forgotten, as the service tells its own', async t => {
  const { hear, sync, pass, setClock, knows } = follower({ ahead: 7_200 })
  hear(NOW + LEDGER_LIFE)
  t.ok(knows(), 'before the first sync')
  sync(NOW)
  t.ok(knows())
  pass(60)
  t.ok(knows())
  setClock(NOW + 60)
  pass(LEDGER_LIFE - 61)
  t.ok(knows())
  pass(1)
  t.notOk(knows(), 'but when both have passed it')
})

t.test('neither does a ledger whose clock is ahead, nor one that jumps', async t => {
  const { hear, sync, pass, knows } = follower()
  sync(NOW + 7_200)
  hear(NOW + LEDGER_LIFE)
  t.ok(knows(), 'by its own clock')
  const other = follower({ ahead: 7_200 })
  other.sync(NOW)
  other.hear(NOW + LEDGER_LIFE)
  other.sync(NOW + 7_200)
  t.ok(other.knows(), 'of several the earliest')
  pass(LEDGER_LIFE)
  t.notOk(knows())
})

t.test('setting the clock while it runs makes nothing forgotten', async t => {
  for (const jump of [7_200, -7_200, NaN]) {
    const { hear, sync, setClock, pass, knows } = follower()
    sync(NOW)
    hear(NOW + LEDGER_LIFE)
    setClock(NOW + jump)
    t.ok(knows(), `${jump}`)
    pass(LEDGER_LIFE - 1)
    t.ok(knows(), `${jump}, later`)
  }
})

t.test('where the service does not tell its clock, nothing is forgotten within an hour and a minute of being heard', async t => {
  for (const ahead of [0, 7_200]) {
    const first = follower({ ahead })
    first.hear(NOW + 10)
    first.sync()
    first.pass(LEDGER_LIFE - 1)
    t.ok(first.knows(), `heard before the first sync, ${ahead} s ahead`)
    first.pass(1)
    t.notOk(first.knows())

    const later = follower({ ahead })
    later.sync()
    later.pass(10 * LEDGER_LIFE)
    later.hear(NOW + 10 * LEDGER_LIFE + 10)
    later.pass(LEDGER_LIFE - 1)
    t.ok(later.knows(), `heard later, ${ahead} s ahead`)
    later.pass(1)
    t.notOk(later.knows())
  }
})

t.test('the earliest of what was told counts for some hours, and not for ever', async t => {
  let monotonic = 0
  const clock = createLedgerClock(() => monotonic)
  t.equal(clock.now(), undefined)
  clock.update(5_000)
  clock.update(9_000)
  t.equal(clock.now(), 5_000)
  monotonic = 1_000
  t.equal(clock.now(), 6_000)
  // What the machine slept is missing from the monotonic clock.
  for (let told = 0; told < 3; told++) {
    monotonic += LEDGER_LIFE * 1000 + 1
    clock.update(1e9 + monotonic)
  }
  t.equal(clock.now(), 1e9 + monotonic)
})
