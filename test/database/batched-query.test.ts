import t from 'tap'
import { createBatchedQuery } from '../../src/database/batched-query.ts'

t.test('one query runs at a time, for all who came meanwhile, and each gets its own answer', async t => {
  const batches: Array<readonly number[]> = []
  const finish: Array<() => void> = []
  const ask = createBatchedQuery(async (keys: readonly number[]) => {
    batches.push(keys)
    await new Promise<void>(resolve => { finish.push(resolve) })
    return keys.map(key => key * 10)
  }, 3)
  const answers = [1, 2, 3, 4, 5].map(ask)
  t.strictSame(batches, [[1]])
  finish[0]?.()
  t.equal(await answers[0], 10)
  t.strictSame(batches, [[1], [2, 3, 4]], 'so many at once, and no more')
  finish[1]?.()
  t.strictSame(await Promise.all(answers.slice(1, 4)), [20, 30, 40])
  finish[2]?.()
  t.equal(await answers[4], 50)
})

t.test('a failure is that of those who asked, and the next query runs', async t => {
  let isBroken = true
  const ask = createBatchedQuery(async (keys: readonly number[]) => {
    if (isBroken) throw new Error('broken')
    return keys
  })
  await t.rejects(ask(1), /broken/)
  isBroken = false
  t.equal(await ask(2), 2)
})
