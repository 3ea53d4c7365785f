import t from 'tap'
import { createNegativeCache } from '../../../src/sessions/cache/negative-cache.ts'

t.test('remembers refused secrets, a bounded number of them', async t => {
  const refused = createNegativeCache(3)
  const secrets = [1, 2, 3, 4].map(byte => Buffer.alloc(32, byte))
  for (const secret of secrets) {
    t.notOk(refused.has(secret))
    refused.add(secret)
    refused.add(secret)
    t.ok(refused.has(Buffer.from(secret)))
  }
  t.strictSame(secrets.map(refused.has), [false, true, true, true])
})
