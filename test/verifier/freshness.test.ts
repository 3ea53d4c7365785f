import t from 'tap'
import { createElapsedTime, type ElapsedTime } from '../../verifier/src/clocks/elapsed-time.ts'
import { createFreshness } from '../../verifier/src/feed/freshness.ts'
import { until } from '../support/until.ts'

/** A machine that has never slept. */
function elapsedBy (monotonic: () => number): ElapsedTime {
  return createElapsedTime({ monotonic, uptime: () => monotonic() / 1000 })
}

t.test('age counts from the read that a sync tells of', async t => {
  let now = 1000
  const freshness = createFreshness({ elapsed: elapsedBy(() => now) })
  t.teardown(freshness.stop)
  t.equal(freshness.age(), Infinity)
  freshness.update(200)
  t.equal(freshness.age(), 200)
  now = 1300
  t.equal(freshness.age(), 500)
  freshness.update(900)
  t.equal(freshness.age(), 500, 'an older read takes nothing back')
})

t.test('what a process finds in its buffers after it slept counts from before it slept', async t => {
  let now = 0
  const freshness = createFreshness({ elapsed: elapsedBy(() => now) })
  t.teardown(freshness.stop)
  now = 60_000
  freshness.update(0)
  t.equal(freshness.age(), 60_000)
  await until(() => {
    freshness.update(0)
    return freshness.age() === 0
  })
})

t.test('what a machine slept counts, though its monotonic clock stood still meanwhile', async t => {
  let [now, up] = [1_000, 500]
  const elapsed = createElapsedTime({ monotonic: () => now, uptime: () => up })
  let slept = 0
  const freshness = createFreshness({ elapsed, onSlept: () => { slept++ } })
  t.teardown(freshness.stop)
  freshness.update(0)
  t.equal(freshness.age(), 0)
  now += 100
  up += 3_600
  await until(() => freshness.age() > 100)
  t.equal(freshness.age(), 3_600_000, 'known at the next beat, before anything is received')
  t.equal(slept, 1)

  up += 60
  freshness.update(0)
  t.ok(freshness.age() >= 60_000, 'and what had waited meanwhile counts from before')
  await until(() => {
    freshness.update(0)
    return freshness.age() === 0
  })
})

t.test('a system that does not tell its uptime, or tells it in seconds, has not slept', async t => {
  let now = 0
  for (const uptime of [() => NaN, () => Math.floor(now / 1000), () => Math.ceil(now / 1000)]) {
    now = 0
    const elapsed = createElapsedTime({ monotonic: () => now, uptime })
    for (; now < 10_000; now += 333) t.equal(elapsed.beat(), false)
    t.equal(elapsed.now(), now)
  }
})
