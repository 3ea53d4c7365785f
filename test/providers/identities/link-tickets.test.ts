import t from 'tap'
import { generateSecret } from '../../../src/config/generated-secrets.ts'
import { createLinkTickets } from '../../../src/providers/identities/link-tickets.ts'
import { deriveKeyRing } from '../../../src/tokens/derived-keys.ts'
import { createEncryption } from '../../../src/tokens/encryption.ts'

const encryption = createEncryption(deriveKeyRing([generateSecret()], 'flow'))
const START = { provider: 'google', redirectTo: 'https://app.example.com/done', session: { userId: '018f', sessionId: '019f' }, codeChallenge: 'x'.repeat(43) }

t.test('a ticket is good for a minute by the clock of the database', async t => {
  let now = Date.UTC(2026, 0, 1)
  const tickets = createLinkTickets(encryption, () => now)
  const ticket = tickets.write(START)
  t.match(tickets.read(ticket), { provider: 'google', redirectTo: START.redirectTo, purpose: { kind: 'app_link', codeChallenge: START.codeChallenge } })
  now += 59_999
  t.ok(tickets.read(ticket))
  now += 1
  t.equal(tickets.read(ticket), undefined)
})

t.test('an instance whose clock is up to a minute behind takes it, and one further behind does not', async t => {
  const at = (now: number) => createLinkTickets(encryption, () => now)
  const now = Date.UTC(2026, 0, 1)
  const ticket = at(now).write(START)
  t.ok(at(now - 60_000).read(ticket))
  t.equal(at(now - 60_001).read(ticket), undefined, 'it would be good for longer than a ticket ever is')
  t.equal(at(now).read(`${ticket}x`), undefined)
})
