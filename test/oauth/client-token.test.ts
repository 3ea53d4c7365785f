import t from 'tap'
import { basic, claimsOf, clientToken, headerOf, introspect, post, registerClient } from '../support/oauth.ts'
import { isProblem } from '../support/problem.ts'
import { startService } from '../support/service.ts'

const GRANT = { grant_type: 'client_credentials' }

t.test('the token endpoint', async t => {
  const service = await startService(t)
  const client = await registerClient(service, { scopes: ['introspect', 'orders:write'] })
  const cart = await registerClient(service, { audience: 'cart' })

  t.test('issues a token to a client (RFC 6749 §4.4, RFC 9068)', async t => {
    const { status, headers, body } = await post(service, '/oauth/token', GRANT, client)
    t.equal(status, 200)
    t.match(headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store', pragma: 'no-cache' })
    const { access_token: token, ...rest } = body
    t.strictSame(rest, { token_type: 'Bearer', expires_in: 600, scope: 'introspect orders:write' })
    t.match(headerOf(token), { alg: 'HS256', typ: 'at+jwt', kid: String })
    const { iat, exp, jti, ...claims } = claimsOf(token)
    t.strictSame(claims, { iss: service.config.issuer, aud: 'api', sub: client.id, client_id: client.id, scope: 'introspect orders:write', ver: 1 })
    t.match(jti, /^[\w-]{43}$/)
    t.equal(Number(exp) - Number(iat), 600)
  })

  t.test('narrows the scope on request', async t => {
    const { body } = await post(service, '/oauth/token', { ...GRANT, scope: 'orders:write orders:write' }, client)
    t.equal(body.scope, 'orders:write')
    t.equal(claimsOf(body.access_token).scope, 'orders:write')
    t.equal((await post(service, '/oauth/token', { ...GRANT, scope: '' }, client)).body.scope, 'introspect orders:write', 'a parameter without a value is left out')
    const none = await post(service, '/oauth/token', GRANT, await registerClient(service, { scopes: [] }))
    t.strictSame([none.status, none.body.scope], [200, undefined])
  })

  t.test('issues tokens for another service, signed with its key', async t => {
    for (const name of ['audience', 'resource']) {
      const token = await clientToken(service, client, { [name]: 'cart' })
      t.equal(claimsOf(token).aud, 'cart')
      t.match(await introspect(service, token, cart), { active: true, aud: 'cart', sub: client.id, client_id: client.id, scope: 'introspect orders:write', token_type: 'Bearer' })
    }
    t.equal(claimsOf(await clientToken(service, cart)).aud, 'api', 'and for this service where none is named')
    t.equal(claimsOf(await clientToken(service, client, { audience: 'api' })).aud, 'api')
  })

  t.test('refuses invalid requests with the error codes of RFC 6749', async t => {
    const bad: Array<[name: string, text: string, error: string, type?: string]> = [
      ['no grant', '', 'invalid_request'],
      ['another grant', 'grant_type=password', 'unsupported_grant_type'],
      ['a grant of another case', 'grant_type=Client_Credentials', 'unsupported_grant_type'],
      ['an empty grant', 'grant_type=', 'invalid_request'],
      ['a grant twice', 'grant_type=client_credentials&grant_type=client_credentials', 'invalid_request'],
      ['an unknown parameter twice', 'grant_type=client_credentials&x=1&x=2', 'invalid_request'],
      ['a scope that it has not', 'grant_type=client_credentials&scope=admin', 'invalid_scope'],
      ['one that it has and one that it has not', 'grant_type=client_credentials&scope=introspect+revocations:read', 'invalid_scope'],
      ['a scope of a quotation mark', 'grant_type=client_credentials&scope=%22', 'invalid_scope'],
      ['scopes two spaces apart', 'grant_type=client_credentials&scope=introspect++orders:write', 'invalid_scope'],
      ['an unknown audience', 'grant_type=client_credentials&audience=nowhere', 'invalid_target'],
      ['an unknown resource', 'grant_type=client_credentials&resource=https://nowhere.example', 'invalid_target'],
      ['two targets', 'grant_type=client_credentials&audience=cart&resource=api', 'invalid_target'],
      ['an audience with a NUL', 'grant_type=client_credentials&audience=a%00', 'invalid_request'],
      ['JSON', JSON.stringify(GRANT), 'invalid_request', 'application/json'],
      ['a multipart form', '--x--', 'invalid_request', 'multipart/form-data; boundary=x'],
      ['text', 'grant_type=client_credentials', 'invalid_request', 'text/plain']
    ]
    for (const [name, text, error, type = 'application/x-www-form-urlencoded'] of bad) {
      const { status, body, headers } = await service.call<Record<string, string>>('POST /oauth/token', { text, headers: { 'content-type': type, authorization: basic(client) } })
      t.strictSame([status, body.error], [400, error], name)
      t.match(headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store' }, name)
      t.match(body.error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/, name)
    }
  })

  t.test('accepts unknown parameters, and a charset', async t => {
    t.equal((await post(service, '/oauth/token', { ...GRANT, colour: 'blue', __proto__: 'x' }, client)).status, 200)
    t.equal((await post(service, '/oauth/token', GRANT, client, { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' })).status, 200)
  })

  t.test('limits the body, and has no other method', async t => {
    const large = await post(service, '/oauth/token', { ...GRANT, filler: 'x'.repeat(20_000) }, client)
    t.strictSame([large.status, large.body.error], [413, 'invalid_request'])
    t.equal((await service.call('GET /oauth/token?grant_type=client_credentials')).status, 404)
  })

  t.test('records tokens in the audit trail', async t => {
    await service.audited()
    const events = await service.sql<{ outcome: string, detail: { clientId: string, audience: string } }>("SELECT outcome, detail FROM audit_events WHERE action = 'client_token'")
    t.ok(events.some(({ outcome, detail }) => outcome === 'success' && detail.clientId === client.id && detail.audience === 'cart'))
  })

  t.test('refuses a client\'s token on every route for users', async t => {
    const token = await clientToken(service, client)
    const document = (await service.call<{ paths: Record<string, Record<string, { security?: Array<Record<string, unknown>> }>> }>('GET /openapi.json')).body
    const targets = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).filter(([, { security = [] }]) => security.some(scheme => 'bearerAuth' in scheme) && security.every(scheme => Object.keys(scheme).length > 0)).map(([method]) => `${method.toUpperCase()} ${path.replace(/\{\w+\}/, '0198c5a4-6f5e-7a6b-9d3f-2f6a3b1c4d5e')}`))
    t.ok(targets.length >= 10 && targets.includes('GET /auth/verify') && targets.includes('GET /admin/users'), `${targets.length} routes`)
    for (const target of targets) {
      isProblem(t, await service.call(target, { token }), 'invalid_token', target)
      const byCookie = await service.call(target, { cookies: { access: token }, headers: { 'sec-fetch-site': 'same-origin' } })
      // A dead cookie is cleared, and keeps nobody from logging out.
      if (target === 'POST /auth/logout') t.equal(byCookie.status, 204, `${target} by cookie`)
      else isProblem(t, byCookie, 'invalid_token', `${target} by cookie`)
    }
  })
})
