import t from 'tap'
import { createRefusedSecrets } from '../../src/sessions/refused-secrets.ts'

t.test('secrets that were refused are remembered, a bounded number of them', async t => {
  const refused = createRefusedSecrets(3)
  const secrets = [1, 2, 3, 4].map(byte => Buffer.alloc(32, byte))
  for (const secret of secrets) {
    t.notOk(refused.has(secret))
    refused.add(secret)
    refused.add(secret)
    t.ok(refused.has(Buffer.from(secret)))
  }
  t.strictSame(secrets.map(refused.has), [false, true, true, true])
})
