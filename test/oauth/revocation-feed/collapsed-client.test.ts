import t from 'tap'
import { createVerifier } from 'countersign-verifier'
import { MAX_SESSION_ROWS } from '../../../src/revocation/ledger-writer.ts'
import { endsSession, isSync, readFeed } from '../../support/feed.ts'
import { basic, claimsOf, clientToken, post, registerClient, registryOf } from '../../support/oauth.ts'
import { startService } from '../../support/service.ts'
import { until } from '../../support/until.ts'
import { refusal, watched } from '../../support/verifiers.ts'

t.test('a client that has revoked so many tokens that all of them are', async t => {
  const service = await startService(t)
  const origin = await service.listen()
  const [client, cart] = [await registerClient(service), await registerClient(service)]
  const first = await clientToken(service, client)
  const revokeOne = async () => post(service, '/oauth/revoke', { token: await clientToken(service, client) }, client)
  const open = (authorization: string) => readFeed(t, origin, { authorization })
  const [bySecret, byToken, others] = [await open(basic(client)), await open(`Bearer ${first}`), await open(basic(cart))]
  await Promise.all([bySecret, byToken, others].map(feed => feed.next(isSync)))
  for (let n = 0; n <= MAX_SESSION_ROWS; n++) await revokeOne()
  const second = await clientToken(service, client)
  t.equal(claimsOf(second).ver, 2)

  t.test('is told to a new follower with the version that is valid again', async t => {
    const verifier = watched(t, createVerifier({
      issuer: service.config.issuer,
      audience: service.config.audience,
      secret: service.config.jwtSecrets,
      revocations: { url: `${origin}/revocations`, clientId: cart.id, clientSecret: cart.secret },
      onStale: 'reject',
      maxStaleness: 30
    }))
    await verifier.ready()
    t.equal(verifier.verifyClient(second).id, client.id)
    t.equal(refusal(() => verifier.verifyClient(first)), 'revoked')
  })

  t.test('loses the connections by such tokens, and no other', async t => {
    await byToken.ended
    const later = await open(`Bearer ${second}`)
    await later.next(isSync)
    // Each further one revokes the second version's tokens too.
    await revokeOne()
    await later.ended
    for (const minVersion of [2, 3]) t.match(await others.next(endsSession(client.id)), { data: { kind: 'client', minVersion } }, 'which the others are told')
    const third = await open(`Bearer ${await clientToken(service, client)}`)
    await third.next(isSync)
    // The syncs come after whatever the service has done about the revocation.
    t.match(await bySecret.next(endsSession(client.id)), { data: { kind: 'client', minVersion: 2 } })
    t.match(await bySecret.next(endsSession(client.id)), { data: { kind: 'client', minVersion: 3 } })
    await bySecret.next(isSync)
    t.strictSame(disconnected(), ['credential withdrawn', 'credential withdrawn'])
    await registryOf(service).remove(client.id)
    await Promise.all([bySecret.ended, third.ended])
    await until(() => disconnected().length === 4)
    t.strictSame(disconnected(), Array(4).fill('credential withdrawn'), 'until it is removed')
  })

  function disconnected (): unknown[] {
    return service.log.filter(({ msg, clientId }) => msg === 'revocation feed disconnected' && clientId === client.id).map(({ reason }) => reason)
  }
})
