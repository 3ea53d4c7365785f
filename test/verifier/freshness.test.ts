import t from 'tap'
import { createFreshness } from '../../verifier/src/feed/freshness.ts'
import { until } from '../support/until.ts'

t.test('age counts from the read that a sync tells of', async t => {
  let now = 1000
  const freshness = createFreshness(() => now)
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
  const freshness = createFreshness(() => now)
  t.teardown(freshness.stop)
  now = 60_000
  freshness.update(0)
  t.equal(freshness.age(), 60_000)
  await until(() => {
    freshness.update(0)
    return freshness.age() === 0
  })
})
