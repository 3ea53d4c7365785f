import t from 'tap'
import { runFeeds, vectors } from '../support/vectors.ts'

t.test('scripted feeds that take a minute: silence, and clocks that are wrong', { timeout: 280_000 }, async t => {
  const scripts = vectors.feeds.filter(({ slow }) => slow)
  const faults = await runFeeds(scripts)
  t.equal(Object.keys(faults).length, 5)
  for (const [name, wrong] of Object.entries(faults)) t.strictSame(wrong, [], name)
})
