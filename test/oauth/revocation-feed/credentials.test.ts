import { randomBytes } from 'node:crypto'
import t from 'tap'
import { watchCredentialExpiry } from '../../../src/oauth/revocation-feed/credential-expiry.ts'
import type { DisconnectReason } from '../../../src/oauth/revocation-feed/sse-subscriber.ts'
import { Problem } from '../../../src/errors.ts'
import { basic, hashOf, registerClient } from '../../support/clients.ts'
import { isSync, readFeed } from '../../support/feed.ts'
import { startService } from '../../support/service.ts'
import { until } from '../../support/until.ts'

t.test('the credential of a subscriber', async t => {
  const service = await startService(t, { ACCESS_TOKEN_TTL: '2s' })
  const origin = await service.listen()

  async function tokenOf ({ authorization }: { authorization: string }, scope: string): Promise<string> {
    const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
    const { body } = await service.call<{ access_token: string }>('POST /oauth/token', { headers, text: `grant_type=client_credentials&scope=${scope}` })
    return `Bearer ${body.access_token}`
  }

  t.test('may be an access token, and the feed ends with it', async t => {
    const client = await registerClient(service.database, 'revocations:read', 'introspect')
    const began = performance.now()
    const authorization = await tokenOf(client, 'revocations:read')
    const feed = await readFeed(t, origin, { authorization })
    await feed.next(isSync)
    await feed.ended
    const spent = await readFeed(t, origin, { authorization })
    t.equal(spent.status, 401, 'a clock may differ by a little, but what has nothing left opens no feed')
    const took = performance.now() - began
    t.ok(took > 900 && took < 3_500, `${took} ms`)
    t.match(service.log.findLast(({ msg }) => msg === 'revocation feed disconnected'), { reason: 'credential expired', clientId: client.id })
  })

  t.test('must have the scope itself, where it is a token', async t => {
    const client = await registerClient(service.database, 'revocations:read', 'introspect')
    t.equal((await readFeed(t, origin, { authorization: await tokenOf(client, 'introspect') })).status, 403)
  })

  t.test('may be the secret that is being replaced, as long as that is valid', async t => {
    const { id, authorization, registry } = await registerClient(service.database, 'revocations:read')
    const secret = randomBytes(32).toString('base64url')
    await registry.replaceSecret(id, { secretHash: hashOf(secret), overlap: 1 })
    const [old, current] = [await readFeed(t, origin, { authorization }), await readFeed(t, origin, { authorization: basic(id, secret) })]
    await Promise.all([old.next(isSync), current.next(isSync)])
    await old.ended
    t.equal((await readFeed(t, origin, { authorization })).status, 401)
    t.match(await current.next(isSync), { event: 'sync' }, 'the new one goes on')
  })
})

t.test('watching a credential', async t => {
  const unlimited = { expiresIn: null, checkEvery: 20 }

  t.test('reports that it was withdrawn', async t => {
    const told: DisconnectReason[] = []
    let isGood = true
    t.teardown(watchCredentialExpiry({ ...unlimited, check: async () => { if (!isGood) throw new Problem('invalid_client') } }, reason => { told.push(reason) }))
    isGood = false
    await until(() => told.length > 0)
    t.equal(told[0], 'credential withdrawn')
  })

  t.test('does not take an unavailable database for a withdrawal', async t => {
    const told: DisconnectReason[] = []
    let checks = 0
    const check = async () => { throw ++checks < 5 ? new Error('no answer') : new Problem('unavailable') }
    t.teardown(watchCredentialExpiry({ ...unlimited, check }, reason => { told.push(reason) }))
    await until(() => checks >= 8)
    t.strictSame(told, [])
  })

  t.test('can be ended', async t => {
    const told: DisconnectReason[] = []
    let checks = 0
    const unwatch = watchCredentialExpiry({ expiresIn: 40, checkEvery: 10, check: async () => { checks++ } }, reason => { told.push(reason) })
    unwatch()
    await new Promise(resolve => setTimeout(resolve, 80))
    t.strictSame([told, checks], [[], 0])
  })

  t.test('supports a lifetime longer than any timer', async t => {
    const told: DisconnectReason[] = []
    t.teardown(watchCredentialExpiry({ expiresIn: 1e12, check: async () => {} }, reason => { told.push(reason) }))
    await new Promise(resolve => setTimeout(resolve, 20))
    t.strictSame(told, [])
  })
})
