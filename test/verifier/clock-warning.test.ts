import t from 'tap'
import { createClockWarning } from '../../verifier/src/clocks/clock-warning.ts'
import type { VerifierWarning } from 'countersign-verifier'
import { startStandIn } from '../support/stand-in.ts'
import { until } from '../support/until.ts'
import { follow, goodToken, OPTIONS, refusal, watched } from '../support/verifiers.ts'
import { createVerifier } from 'countersign-verifier'

const clockWarnings = ({ warnings }: { warnings: VerifierWarning[] }) => warnings.filter(({ code }) => code === 'clock').map(({ message }) => message)

t.test('a machine whose clock is behind accepts new tokens, and is told', async t => {
  const verifier = watched(t, createVerifier({ ...OPTIONS, clock: () => Date.now() - 20_000 }))
  t.equal(refusal(() => verifier.verify(goodToken())), undefined)
  t.match(clockWarnings(verifier), [/ (19|20) s behind /])
})

t.test('one that is further behind is told too, whatever it accepted before', async t => {
  let behind = 0
  const verifier = watched(t, createVerifier({ ...OPTIONS, clock: () => Date.now() - behind }))
  t.equal(refusal(() => verifier.verify(goodToken())), undefined)
  t.strictSame(clockWarnings(verifier), [])
  behind = 120_000
  t.equal(refusal(() => verifier.verify(goodToken({ sid: 'another' }))), 'not_yet_valid')
  t.match(clockWarnings(verifier), [/ (119|120) s behind /])
})

t.test('the feed tells it of a clock that is off by more than a minute, either way', async t => {
  const service = await startStandIn(t)
  for (const [off, expected] of [[-3_600, [/ 3600 s behind /]], [3_600, [/ 3600 s ahead of /]], [50, []], [-50, []]] as const) {
    const verifier = follow(t, service, { clock: () => Date.now() + off * 1000 })
    const feed = await service.connected()
    feed.send(`event: sync\nid: c\ndata: {"ageMs":0,"nowMs":${Date.now()}}\n\n`)
    await until(() => verifier.counters.syncs === 1)
    t.match(clockWarnings(verifier), expected, `${off} s`)
    t.equal(clockWarnings(verifier).length, expected.length)
    verifier.close()
  }
})

t.test('the warning is repeated while it is so, once a minute', async t => {
  let now = 0
  const warned: string[] = []
  const warn = createClockWarning(({ message }) => { warned.push(message) }, () => now)
  for (; now <= 180_000; now += 1_000) warn(90)
  t.equal(warned.length, 4)
})
