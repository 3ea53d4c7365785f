import t from 'tap'
import { MAX_SESSION_ROWS } from '../../src/revocation/ledger-writer.ts'
import { claimsOf, clientToken, introspect, post, registerClient, registryOf, type TestClient } from '../support/oauth.ts'
import { startService, type TestService } from '../support/service.ts'

const rowsOf = (service: TestService, { id }: TestClient) =>
  service.sql<{ kind: string, minVersion: number | null }>('SELECT kind::text AS kind, min_version AS "minVersion" FROM revocations WHERE subject = $1 OR client_id = $1 ORDER BY id', id)
const revoke = async (service: TestService, token: string, client: TestClient) => (await post(service, '/oauth/revoke', { token }, client)).status
const isActive = async (service: TestService, token: string, by: TestClient) => (await introspect(service, token, by)).active
/** The revocations in memory. */
const known = async ({ call }: TestService) => Number(/^countersign_revocations (\d+)$/m.exec((await call('GET /metrics')).text)?.[1])

t.test('a client that takes and revokes tokens without end', async t => {
  const service = await startService(t)
  const client = await registerClient(service, { scopes: [] })
  const cart = await registerClient(service)
  const before = await known(service)
  for (let n = 0; n < 200; n++) {
    const token = await clientToken(service, client)
    t.equal(await revoke(service, token, client), 200)
    t.equal(await isActive(service, token, cart), false)
  }
  const rows = await rowsOf(service, client)
  t.ok(rows.length <= MAX_SESSION_ROWS, `${rows.length} rows in the ledger`)
  t.ok(await known(service) - before <= MAX_SESSION_ROWS + 1, `${await known(service)} in memory`)
  await service.call('GET /admin/audit', { token: (await service.admin()).accessToken })
  t.ok((await service.sql("SELECT 1 FROM audit_events WHERE detail->>'clientId' = $1", client.id)).length <= 4, 'and some rows in the audit trail')
})

t.test('of more than 32 revocations the client\'s other tokens are revoked too, once', async t => {
  const service = await startService(t)
  const [client, cart] = [await registerClient(service), await registerClient(service)]
  const other = await clientToken(service, client)
  const cartToken = await clientToken(service, cart)
  for (let n = 0; n < MAX_SESSION_ROWS; n++) await revoke(service, await clientToken(service, client), client)
  t.equal((await rowsOf(service, client)).length, MAX_SESSION_ROWS)
  t.equal(await isActive(service, other, cart), true)

  await revoke(service, await clientToken(service, client), client)
  t.strictSame(await rowsOf(service, client), [{ kind: 'client', minVersion: 2 }])
  t.equal(await isActive(service, other, cart), false)
  t.equal(await isActive(service, cartToken, client), true, 'nobody else\'s')

  const next = await clientToken(service, client)
  t.equal(claimsOf(next).ver, 2)
  t.equal(await isActive(service, next, cart), true, 'a new one is valid')
  t.equal((await post(service, '/oauth/introspect', { token: next }, { token: next })).status, 200)

  t.test('and again by each further one within the hour', async t => {
    await revoke(service, await clientToken(service, client), client)
    t.strictSame(await rowsOf(service, client), [{ kind: 'client', minVersion: 3 }])
    t.equal(await isActive(service, next, cart), false)
  })

  t.test('which is over when the row has expired', async t => {
    await service.sql("UPDATE revocations SET expires_at = now() - interval '1 second' WHERE client_id = $1", client.id)
    const [one, two] = [await clientToken(service, client), await clientToken(service, client)]
    await revoke(service, one, client)
    t.equal(await isActive(service, two, cart), true)
  })

  t.test('a revoked token that is revoked again writes nothing', async t => {
    const rows = await rowsOf(service, client)
    t.equal(await revoke(service, other, client), 200)
    t.strictSame(await rowsOf(service, client), rows)
  })

  t.test('and a client that is removed has no version to come back with', async t => {
    const token = await clientToken(service, client)
    await registryOf(service).remove(client.id)
    const { status } = await post(service, '/oauth/introspect', { token }, { token })
    t.equal(status, 401)
  })
})

t.test('many revocations at once leave few rows', async t => {
  const service = await startService(t)
  const [client, cart] = [await registerClient(service), await registerClient(service)]
  for (let round = 0; round < 4; round++) {
    const tokens = await Promise.all(Array.from({ length: 20 }, () => clientToken(service, client)))
    const statuses = await Promise.all(tokens.map(token => revoke(service, token, client)))
    t.ok(statuses.every(status => status === 200))
    for (const token of tokens) t.equal(await isActive(service, token, cart), false)
  }
  const { length } = await rowsOf(service, client)
  t.ok(length <= MAX_SESSION_ROWS + 10, `${length} rows: as many more as statements run at once`)
})
