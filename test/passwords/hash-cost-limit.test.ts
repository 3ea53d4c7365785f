import t from 'tap'
import { createHashCostLimit } from '../../src/passwords/hash-cost-limit.ts'

const OWASP = { memoryKiB: 19456, iterations: 2, parallelism: 1 }
const isBearable = createHashCostLimit(OWASP)

t.test('the costs that are commonly imported are borne', async t => {
  const common = [[19456, 2, 1], [47104, 1, 1], [7168, 5, 1], [65536, 3, 4], [102400, 2, 8], [262144, 3, 1], [64, 1, 8]] as const
  for (const [memoryKiB, iterations, parallelism] of common) t.ok(isBearable({ memoryKiB, iterations, parallelism }), `${memoryKiB}`)
})

t.test('memory, passes, lanes and the work of all passes each have a ceiling', async t => {
  const bounds = [
    { just: { memoryKiB: 262144, iterations: 1, parallelism: 1 }, over: { memoryKiB: 262145 } },
    { just: { memoryKiB: 262144, iterations: 4, parallelism: 1 }, over: { iterations: 5 } },
    { just: { memoryKiB: 64, iterations: 64, parallelism: 1 }, over: { iterations: 65 } },
    { just: { memoryKiB: 1024, iterations: 1, parallelism: 16 }, over: { parallelism: 17 } }
  ]
  for (const { just, over } of bounds) {
    t.equal(isBearable(just), true, JSON.stringify(just))
    t.equal(isBearable({ ...just, ...over }), false, JSON.stringify(over))
  }
})

t.test('what argon2 itself would refuse is not borne: under 8 KiB a lane', async t => {
  t.equal(isBearable({ memoryKiB: 32, iterations: 1, parallelism: 4 }), true)
  t.equal(isBearable({ memoryKiB: 31, iterations: 1, parallelism: 4 }), false)
})

t.test('the current cost is always borne, and raises the ceilings it passes', async t => {
  const dear = { memoryKiB: 1024 * 1024, iterations: 70, parallelism: 20 }
  const raised = createHashCostLimit(dear)
  t.equal(raised(dear), true)
  for (const more of [{ memoryKiB: 1024 * 1024 + 1 }, { iterations: 71 }, { parallelism: 21 }]) {
    t.equal(raised({ ...dear, iterations: 1, ...more }), false, JSON.stringify(more))
  }
})
