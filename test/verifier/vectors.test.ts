import t from 'tap'
import { runFeeds, runTokens, vectors } from '../support/vectors.ts'

t.test('the conformance vectors', { timeout: 280_000 }, async t => {
  t.test('every token gets the verdict that the protocol asks for', async t => {
    const faults = await runTokens()
    t.equal(Object.keys(faults).length, vectors.cases.length)
    for (const [name, wrong] of Object.entries(faults)) t.strictSame(wrong, [], name)
  })

  // The slow ones are a drill.
  t.test('every scripted feed is followed as the protocol asks for', async t => {
    const scripts = vectors.feeds.filter(({ slow = false }) => !slow)
    const faults = await runFeeds(scripts)
    t.equal(Object.keys(faults).length, scripts.length)
    for (const [name, wrong] of Object.entries(faults)) t.strictSame(wrong, [], name)
  })
})
