import t from 'tap'
import { createRandomPool } from '../../src/tokens/random-pool.ts'

t.test('random bytes are handed out once each, over many stocks, and stay as they were', async t => {
  const next = createRandomPool(16)
  const all = Array.from({ length: 1000 }, next)
  const texts = all.map(bytes => bytes.toString('hex'))
  t.equal(new Set(texts).size, 1000)
  t.ok(all.every(bytes => bytes.length === 16 && bytes.some(byte => byte !== 0)))
  Array.from({ length: 300 }, next)
  t.same(all.map(bytes => bytes.toString('hex')), texts)
})

t.test('so are those of two stocks', async t => {
  const [one, other] = [createRandomPool(16), createRandomPool(16)]
  t.equal(new Set(Array.from({ length: 300 }, () => [one(), other()]).flat().map(bytes => bytes.toString('hex'))).size, 600)
})
