import t from 'tap'
import { ALL_SCOPES, basic, clientToken, post, registerClient, registryOf } from '../support/oauth.ts'
import { hashOf } from '../support/clients.ts'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { startService } from '../support/service.ts'

const GRANT = { grant_type: 'client_credentials' }
const encoded = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

t.test('a client', async t => {
  const service = await startService(t)
  const client = await registerClient(service)
  const other = await registerClient(service)
  const { id, secret } = client

  t.test('authenticates by HTTP Basic, or in the form', async t => {
    t.equal((await post(service, '/oauth/token', GRANT, client)).status, 200)
    t.equal((await post(service, '/oauth/token', { ...GRANT, client_id: id, client_secret: secret }, undefined)).status, 200)
    t.equal((await post(service, '/oauth/token', { ...GRANT, client_id: id }, client)).status, 200, 'its id in the form says the same again')
    for (const scheme of ['basic', 'BASIC']) t.equal((await post(service, '/oauth/token', GRANT, undefined, { authorization: basic(client).replace('Basic', scheme) })).status, 200, scheme)
  })

  t.test('may escape any character in HTTP Basic', async t => {
    const escape = (text: string) => [...text].map(character => `%${character.charCodeAt(0).toString(16)}`).join('')
    t.equal((await post(service, '/oauth/token', GRANT, undefined, { authorization: encoded(`${escape(id)}:${escape(secret)}`) })).status, 200)
  })

  t.test('gets the same refusal whatever is wrong with its credentials, and is told how to authenticate', async t => {
    const wrong: Record<string, Parameters<typeof post>[4]> = {
      'another secret': { authorization: basic({ id, secret: other.secret }) },
      'no secret': { authorization: encoded(`${id}:`) },
      'no colon': { authorization: encoded(id) },
      'a secret too much': { authorization: basic({ id, secret: `${secret}x` }) },
      'an unknown client': { authorization: basic({ id: 'client_0123456789abcdef01234567', secret }) },
      'what no id is': { authorization: basic({ id: "'; DROP TABLE clients; --", secret }) },
      'an id with a NUL': { authorization: basic({ id: 'client_\0', secret }) },
      'no base64': { authorization: 'Basic !!!' },
      'nothing after the scheme': { authorization: 'Basic ' },
      'broken escapes': { authorization: encoded(`${id}:%zz`) },
      'another scheme': { authorization: `Digest ${secret}` },
      'no credentials': {}
    }
    for (const [name, headers] of Object.entries(wrong)) {
      for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke']) {
        const answer = await post(service, path, { ...GRANT, token: 'x' }, undefined, headers)
        t.strictSame([answer.status, answer.body.error], [401, 'invalid_client'], `${name} ${path}`)
        t.match(answer.headers['www-authenticate'], path === '/oauth/token' ? /^Basic realm="countersign", charset="UTF-8"$/ : /^Basic realm="countersign", charset="UTF-8", Bearer realm="countersign"$/, `${name} ${path}`)
        t.equal(answer.headers['cache-control'], 'no-store')
      }
    }
    const inForm = await post(service, '/oauth/token', { ...GRANT, client_id: id, client_secret: other.secret }, undefined)
    t.strictSame([inForm.status, inForm.body.error], [401, 'invalid_client'])
    const idAlone = await post(service, '/oauth/token', { ...GRANT, client_id: id }, undefined)
    t.strictSame([idAlone.status, idAlone.body.error], [401, 'invalid_client'])
  })

  t.test('may use only one authentication method', async t => {
    for (const form of [{ client_id: id, client_secret: secret }, { client_secret: secret }, { client_id: other.id }]) {
      const { status, body } = await post(service, '/oauth/token', { ...GRANT, ...form }, client)
      t.strictSame([status, body.error], [400, 'invalid_request'], Object.keys(form).join())
    }
  })

  t.test('may not send a secret beside a token, or another client\'s id', async t => {
    const token = await clientToken(service, client)
    t.equal((await post(service, '/oauth/introspect', { token, client_id: id }, { token })).status, 200, 'its own name says the same again')
    for (const form of [{ client_secret: secret }, { client_id: id, client_secret: secret }, { client_id: other.id }]) {
      const { status, body } = await post(service, '/oauth/introspect', { token, ...form }, { token })
      t.strictSame([status, body.error], [400, 'invalid_request'], Object.keys(form).join())
    }
  })

  t.test('that sends a wrong secret is recorded in the audit trail, at a limited rate', async t => {
    const guessed = await registerClient(service)
    for (let times = 0; times < 5; times++) await post(service, '/oauth/token', GRANT, { id: guessed.id, secret: other.secret })
    await post(service, '/oauth/token', GRANT, { id: 'client_0123456789abcdef01234567', secret })
    await service.audited()
    const events = await service.sql<{ outcome: string, ip: string, clientId: string }>("SELECT outcome, ip, detail->>'clientId' AS \"clientId\" FROM audit_events WHERE action = 'client_authentication' AND detail->>'clientId' IN ($1, $2)", guessed.id, 'client_0123456789abcdef01234567')
    t.strictSame(events, [{ outcome: 'failure', ip: '127.0.0.1', clientId: guessed.id }])
  })

  t.test('with an access token needs no secret, and has the scopes of the token', async t => {
    const token = await clientToken(service, client, { scope: 'introspect' })
    t.equal((await post(service, '/oauth/introspect', { token }, { token })).status, 200)
    const narrow = await clientToken(service, client, { scope: 'revocations:read' })
    const refused = await post(service, '/oauth/introspect', { token }, { token: narrow })
    t.strictSame([refused.status, refused.body.error], [403, 'insufficient_scope'])
    t.equal(refused.headers['www-authenticate'], 'Bearer error="insufficient_scope", scope="introspect"')
    const itself = await post(service, '/oauth/token', GRANT, { token })
    t.strictSame([itself.status, itself.body.error], [401, 'invalid_client'], 'but begets no other token')
  })

  t.test('is not authenticated by a user\'s token', async t => {
    const { accessToken } = await service.person()
    const { status, body, headers } = await post(service, '/oauth/introspect', { token: accessToken }, { token: accessToken })
    t.strictSame([status, body.error, headers['www-authenticate']], [401, 'invalid_token', 'Bearer error="invalid_token"'])
  })

  t.test('is not authenticated by a token for another audience', async t => {
    const cart = await registerClient(service, { audience: 'cart' })
    const token = await clientToken(service, client, { audience: 'cart' })
    t.equal((await post(service, '/oauth/introspect', { token }, { token })).status, 401)
    t.equal((await post(service, '/oauth/introspect', { token }, cart)).body.active, true)
  })

  t.test('has two valid secrets while one is replaced, and never three', async t => {
    const statusOf = async (secret: string) => (await post(service, '/oauth/token', GRANT, { id: other.id, secret })).status
    const registry = registryOf(service)
    const [second, third, fourth] = [generateSecret(), generateSecret(), generateSecret()]
    await registry.replaceSecret(other.id, { secretHash: hashOf(second), overlap: 3600 })
    t.strictSame([await statusOf(other.secret), await statusOf(second)], [200, 200])
    await registry.replaceSecret(other.id, { secretHash: hashOf(third), overlap: 3600 })
    t.strictSame([await statusOf(other.secret), await statusOf(second), await statusOf(third)], [401, 200, 200])
    await service.sql("UPDATE clients SET previous_ends_at = now() - interval '1 second' WHERE id = $1", other.id)
    t.strictSame([await statusOf(second), await statusOf(third)], [401, 200], 'the old one ends by itself')
    await registry.replaceSecret(other.id, { secretHash: hashOf(fourth), overlap: 0 })
    t.strictSame([await statusOf(third), await statusOf(fourth)], [401, 200], 'or at once')
  })

  t.test('that is removed can use neither its secret nor its tokens', async t => {
    const gone = await registerClient(service)
    const token = await clientToken(service, gone)
    t.equal((await post(service, '/oauth/introspect', { token }, { token })).status, 200)
    await registryOf(service).remove(gone.id)
    t.strictSame([(await post(service, '/oauth/token', GRANT, gone)).status, (await post(service, '/oauth/introspect', { token }, { token })).status], [401, 401])
    t.equal((await registryOf(service).remove(gone.id)), undefined)
  })

  t.test('loses a scope that it is no longer registered for, whatever its token says', async t => {
    const narrowed = await registerClient(service, { scopes: ALL_SCOPES })
    const token = await clientToken(service, narrowed)
    await service.sql("UPDATE clients SET scopes = '{revocations:read}' WHERE id = $1", narrowed.id)
    t.equal((await post(service, '/oauth/introspect', { token }, { token })).status, 403)
    t.equal((await post(service, '/oauth/introspect', { token }, narrowed)).status, 403)
  })

  t.test('leaves no secret in the database or the log', async t => {
    const rows = await service.sql<{ row: string }>('SELECT clients::text AS row FROM clients UNION ALL SELECT audit_events::text FROM audit_events')
    const kept = rows.map(({ row }) => row).join('\n') + service.logText()
    t.ok(kept.includes(id))
    for (const secret of [client.secret, other.secret]) t.notOk(kept.includes(secret))
  })
})

t.test('without its database the service tells clients to retry', async t => {
  const service = await startService(t)
  const client = await registerClient(service)
  await service.database.close()
  for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke']) {
    const { status, body, headers } = await post(service, path, { ...GRANT, token: 'x' }, client)
    t.strictSame([status, body.error, headers['retry-after']], [503, 'temporarily_unavailable', '2'], path)
  }
})
