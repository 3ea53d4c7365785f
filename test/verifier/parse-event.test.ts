import t from 'tap'
import { FeedParseError } from '../../verifier/src/feed/feed-parse-error.ts'
import { parseRevocation } from '../../verifier/src/feed/parse-event.ts'

const entry = { id: 'client_x', expiresAt: 1_800_000_000 }

t.test('the revocation of a client may have a version, and one that cannot be read is unreadable', async t => {
  t.strictSame(parseRevocation(JSON.stringify({ kind: 'client', ...entry })), { kind: 'client', ...entry })
  t.strictSame(parseRevocation(JSON.stringify({ kind: 'client', ...entry, minVersion: 2 })), { kind: 'client', ...entry, minVersion: 2 })
  for (const minVersion of [null, '2', 1.5, {}]) t.throws(() => parseRevocation(JSON.stringify({ kind: 'client', ...entry, minVersion })), FeedParseError, String(minVersion))
  t.throws(() => parseRevocation(JSON.stringify({ kind: 'user', ...entry })), FeedParseError)
  t.strictSame(parseRevocation(JSON.stringify({ kind: 'session', ...entry, minVersion: 'x' })), { kind: 'session', ...entry })
  for (const members of [{ ...entry, minVersion: 'x' }, { id: 'x' }, { tenant: 't', expiresAt: null }]) t.equal(parseRevocation(JSON.stringify({ kind: 'device', ...members })), undefined, 'of a kind that is not known nothing is read')
  for (const members of [{ id: 'x' }, { expiresAt: 1 }, { id: '', expiresAt: 1 }]) t.throws(() => parseRevocation(JSON.stringify({ kind: 'session', ...members })), FeedParseError)
})
