import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createCredentialWatch } from '../../../src/oauth/revocation-feed/credential-watch.ts'
import type { DisconnectReason } from '../../../src/oauth/revocation-feed/sse-subscriber.ts'
import { Problem } from '../../../src/errors.ts'
import { basic, hashOf, registerClient } from '../../support/clients.ts'
import { onPostgres } from '../../support/database.ts'
import { isSync, readFeed, type FeedReader } from '../../support/feed.ts'
import { startService } from '../../support/service.ts'
import { until } from '../../support/until.ts'

const FORM = 'application/x-www-form-urlencoded'

t.test('the credential of a subscriber', async t => {
  const service = await startService(t, { ACCESS_TOKEN_TTL: '2s' })
  const origin = await service.listen()

  async function tokenOf ({ authorization }: { authorization: string }, scope: string): Promise<string> {
    const headers = { authorization, 'content-type': FORM }
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

// Of some 5 s between two looks, with drift, and what a busy machine adds.
const SOON = 8_000

t.test('a credential that is withdrawn while a stream is open', async t => {
  const service = await startService(t)
  const origin = await service.listen()

  async function tokenOf (authorization: string): Promise<string> {
    const { body } = await service.call<{ access_token: string }>('POST /oauth/token', { headers: { authorization, 'content-type': FORM }, text: 'grant_type=client_credentials' })
    return body.access_token
  }

  const revoke = (authorization: string, token: string) => service.call('POST /oauth/revoke', { headers: { authorization, 'content-type': FORM }, text: `token=${token}` })

  async function open (authorization: string, at = origin): Promise<FeedReader> {
    const feed = await readFeed(t, at, { authorization })
    await feed.next(isSync)
    return feed
  }

  t.test('as a token that is revoked ends its stream at once, and no other', async t => {
    const { authorization } = await registerClient(service.database, 'revocations:read')
    const [first, second] = [await tokenOf(authorization), await tokenOf(authorization)]
    const [byFirst, bySecond, bySecret] = [await open(`Bearer ${first}`), await open(`Bearer ${second}`), await open(authorization)]
    const began = performance.now()
    t.equal((await revoke(authorization, first)).status, 200)
    await byFirst.ended
    t.ok(performance.now() - began < 2_000, 'at once')
    t.match(service.log.findLast(({ msg }) => msg === 'revocation feed disconnected'), { reason: 'credential withdrawn' })
    for (const feed of [bySecond, bySecret]) t.match(await feed.next(isSync), { event: 'sync' }, 'the others go on')
  })

  t.test('as a token that is revoked ends its stream on every instance', onPostgres, async t => {
    const { databaseUrl = '', secrets, jwtSecrets } = service.config
    const other = await startService(t, { DATABASE_URL: databaseUrl, COUNTERSIGN_SECRET: secrets.join(), JWT_SECRET: jwtSecrets.join() })
    const { authorization } = await registerClient(service.database, 'revocations:read')
    const token = await tokenOf(authorization)
    const feed = await open(`Bearer ${token}`, await other.listen())
    const began = performance.now()
    await revoke(authorization, token)
    await feed.ended
    t.ok(performance.now() - began < 2_000, 'at once')
  })

  t.test('as a token that is revoked while its stream is being opened opens none', async t => {
    const { authorization } = await registerClient(service.database, 'revocations:read')
    const token = await tokenOf(authorization)
    const held = service.hold('clients.find')
    const opening = readFeed(t, origin, { authorization: `Bearer ${token}` })
    await held.reached
    await revoke(authorization, token)
    held.release()
    t.equal((await opening).status, 401)
  })

  t.test('as a secret that is no longer valid ends its stream soon: at once replaced, replaced for a while, or replaced twice', async t => {
    const [leaked, overlapped, twice] = [await registerClient(service.database, 'revocations:read'), await registerClient(service.database, 'revocations:read'), await registerClient(service.database, 'revocations:read')]
    const [ending, ...lasting] = [await Promise.all([leaked, overlapped, twice].map(({ authorization }) => open(authorization))), await open((await registerClient(service.database, 'revocations:read')).authorization)]
    const secret = randomBytes(32).toString('base64url')
    await leaked.registry.replaceSecret(leaked.id, { secretHash: hashOf(secret), overlap: 0 })
    lasting.push(await open(basic(leaked.id, secret)))
    await overlapped.registry.replaceSecret(overlapped.id, { secretHash: hashOf(secret), overlap: 1 })
    await twice.registry.replaceSecret(twice.id, { secretHash: hashOf(secret), overlap: 3_600 })
    const previous = await open(twice.authorization)
    await twice.registry.replaceSecret(twice.id, { secretHash: randomBytes(32), overlap: 3_600 })
    lasting.push(await open(basic(twice.id, secret)))
    const began = performance.now()
    await Promise.all([...ending, previous].map(({ ended }) => ended))
    t.ok(performance.now() - began < SOON, 'soon')
    for (const feed of lasting) {
      await feed.next(isSync)
      t.match(await feed.next(isSync), { event: 'sync' }, 'a valid one goes on')
    }
  })
})

t.test('watching a credential', async t => {
  const secretHash = hashOf('secret')
  const one = { clientId: 'client', credential: { secretHash }, scope: 'revocations:read', expiresIn: null }
  const stored = { id: 'client', scopes: ['revocations:read'], secretHash, previousHash: null }

  t.test('reports that it was withdrawn', async t => {
    const changes = { 'a removed client': [], 'a lost scope': [{ ...stored, scopes: [] }], 'another secret': [{ ...stored, secretHash: hashOf('another') }] }
    for (const [what, changed] of Object.entries(changes)) {
      const told: DisconnectReason[] = []
      let found: ReadonlyArray<typeof stored> = [stored]
      t.teardown(createCredentialWatch({ checkEvery: 20, find: async () => found })(one, reason => { told.push(reason) }))
      found = changed
      await until(() => told.length > 0)
      t.equal(told[0], 'credential withdrawn', what)
    }
  })

  t.test('asks for the clients of all at once, each once', async t => {
    const asked: Array<readonly string[]> = []
    const watch = createCredentialWatch({
      checkEvery: 20,
      async find (ids) {
        asked.push(ids)
        return ids.map(id => ({ ...stored, id, secretHash: hashOf('another'), previousHash: secretHash }))
      }
    })
    for (let count = 0; count < 10; count++) for (const clientId of ['client', 'other']) t.teardown(watch({ ...one, clientId }, () => t.fail('the previous secret is good')))
    await until(() => asked.length >= 3)
    t.strictSame(asked.slice(0, 3), Array(3).fill(['client', 'other']))
  })

  t.test('does not take an unavailable database for a withdrawal', async t => {
    const told: DisconnectReason[] = []
    let checks = 0
    const find = async () => { throw ++checks < 5 ? new Error('no answer') : new Problem('unavailable') }
    t.teardown(createCredentialWatch({ checkEvery: 20, find })(one, reason => { told.push(reason) }))
    await until(() => checks >= 8)
    t.strictSame(told, [])
  })

  t.test('can be ended', async t => {
    const told: DisconnectReason[] = []
    let checks = 0
    const find = async () => { checks++; return [] }
    const unwatch = createCredentialWatch({ checkEvery: 10, find })({ ...one, expiresIn: 40 }, reason => { told.push(reason) })
    unwatch()
    await new Promise(resolve => setTimeout(resolve, 80))
    t.strictSame([told, checks], [[], 0])
  })

  t.test('supports a lifetime longer than any timer', async t => {
    const told: DisconnectReason[] = []
    t.teardown(createCredentialWatch({ find: async () => [stored] })({ ...one, expiresIn: 1e12 }, reason => { told.push(reason) }))
    await new Promise(resolve => setTimeout(resolve, 20))
    t.strictSame(told, [])
  })
})
