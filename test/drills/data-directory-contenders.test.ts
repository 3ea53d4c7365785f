import t from 'tap'
import { child } from '../database/child.ts'
import { temporaryDirectory } from '../support/database.ts'

t.test('of processes that start at the same moment exactly one wins, stale claims or not', async t => {
  const directory = await temporaryDirectory(t)
  for (let round = 0; round < 6; round++) {
    const moment = String(Date.now() + 700)
    const contenders = Array.from({ length: 4 }, () => child(t, 'lock-and-hold.js', [directory, moment]))
    const outcomes = await Promise.all(contenders.map(contender => Promise.any([
      contender.says('locked'), contender.says('refused')
    ])))
    t.equal(outcomes.filter(outcome => outcome.startsWith('locked')).length, 1, outcomes.join(', '))
    await Promise.all(contenders.map(contender => contender.kill()))
  }
})
