import t from 'tap'
import { adapterInProcess, runFeeds, runTokens, startAdapter, vectors } from '../support/vectors.ts'

/** Whether the script stops the process of the verifier, which is to be no other's. */
const isStopped = ({ steps }: typeof vectors.feeds[number]) => steps.some(step => 'suspend' in step)

t.test('the conformance vectors', { timeout: 280_000 }, async t => {
  t.test('every token gets the verdict that the protocol asks for', async t => {
    const faults = await runTokens()
    t.equal(Object.keys(faults).length, vectors.cases.length)
    for (const [name, wrong] of Object.entries(faults)) t.strictSame(wrong, [], name)
  })

  // The slow ones are a drill.
  t.test('every scripted feed is followed as the protocol asks for', async t => {
    const scripts = vectors.feeds.filter(({ slow = false }) => !slow)
    const faults = await runFeeds(scripts, script => isStopped(script) ? startAdapter() : adapterInProcess())
    t.equal(Object.keys(faults).length, scripts.length)
    for (const [name, wrong] of Object.entries(faults)) t.strictSame(wrong, [], name)
  })
})
