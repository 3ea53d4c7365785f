import t, { type Test } from 'tap'
import { createBatchedQuery } from '../../src/database/batched-query.ts'

/** Queries that end when they are told to. */
function world (t: Test, maxKeys?: number) {
  const batches: Array<readonly number[]> = []
  const finish: Array<() => void> = []
  const ask = createBatchedQuery(async (keys: readonly number[]) => {
    batches.push(keys)
    await new Promise<void>(resolve => { finish.push(resolve) })
    return keys.map(key => key * 10)
  }, maxKeys)
  t.teardown(() => { for (const each of finish) each() })
  return { batches, finish, ask }
}

t.test('two queries run at a time, for all who came meanwhile, and each gets its own answer', async t => {
  const { batches, finish, ask } = world(t, 3)
  const answers = [1, 2, 3, 4, 5, 6].map(ask)
  t.strictSame(batches, [[1], [2]])
  finish[0]?.()
  t.equal(await answers[0], 10)
  t.strictSame(batches, [[1], [2], [3, 4, 5]], 'so many at once, and no more')
  finish[1]?.()
  t.equal(await answers[1], 20)
  t.strictSame(batches, [[1], [2], [3, 4, 5], [6]])
  finish[2]?.()
  finish[3]?.()
  t.strictSame(await Promise.all(answers.slice(2)), [30, 40, 50, 60])
})

t.test('a query that hangs holds back only those who asked with it', async t => {
  const { finish, ask } = world(t)
  const hanging = ask(1)
  for (const key of [2, 3, 4]) {
    const answer = ask(key)
    finish[key - 1]?.()
    t.equal(await answer, key * 10)
  }
  finish[0]?.()
  t.equal(await hanging, 10)
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
