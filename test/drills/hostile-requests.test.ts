import fc from 'fast-check'
import t from 'tap'
import { startService, type Call } from '../support/service.ts'

const RUNS = { numRuns: Number(process.env.PROPERTY_RUNS ?? 150) }

t.test('whatever is asked, the answer is no 5xx', async t => {
  const service = await startService(t)
  const ada = await service.person()
  const admin = await service.admin()
  const cookies = await service.cookiesOf(ada)

  const document = (await service.call<{ paths: Record<string, Record<string, object>> }>('GET /openapi.json')).body
  const targets = Object.entries(document.paths).flatMap(([path, operations]) => Object.keys(operations).map(method => `${method.toUpperCase()} ${path}`))
    // What ends ada's account or her sessions would leave the rest with nothing to try.
    .filter(target => !['DELETE /auth/me', 'POST /auth/me/delete', 'DELETE /auth/sessions', 'POST /auth/logout', 'DELETE /admin/users/{id}', 'PATCH /admin/users/{id}', 'DELETE /admin/users/{id}/sessions'].includes(target))
  const writing = targets.filter(target => /^(POST|PUT|PATCH)/.test(target))
  t.ok(writing.length >= 5 && targets.length >= 10)

  /** Asks, and fails where the answer is a 5xx or an error that is no problem document. */
  async function ask (target: string, call: Call): Promise<void> {
    const { status, headers, text } = await service.call(target.replace('{id}', ada.user.id), call)
    if (status >= 500) throw new Error(`${target} was answered ${status}: ${text}`)
    // RFC 6749 §5.2 has errors of its own.
    const type = target.includes(' /oauth/') ? 'application/' : 'application/problem+json'
    if (status >= 400 && !String(headers['content-type']).startsWith(type)) throw new Error(`${target} was answered ${status} as ${headers['content-type']}`)
    if (status === 401 && !/^(Bearer|Basic)\b/.test(String(headers['www-authenticate']))) throw new Error(`${target} was answered 401 without a way in`)
  }

  /** What a header field can carry. */
  const fieldValue = fc.oneof(
    fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).filter(code => code !== 0x7f).map(code => String.fromCharCode(code)), maxLength: 200 }),
    fc.constantFrom('', 'null', '*', '0', '-1', '1e999', 'Bearer', 'Bearer ', 'bearer  x', '%', '%00', '%ff', '=', ';', ';;=;', '__proto__', '"', '\\', 'x'.repeat(5000))
  )

  t.test('mutated tokens', async t => {
    const good = ada.accessToken
    const parts = good.split('.')
    const mutation = fc.oneof(
      fc.tuple(fc.nat(good.length), fc.nat(20), fc.string({ maxLength: 20 })).map(([at, cut, text]) => good.slice(0, at) + text + good.slice(at + cut)),
      fc.tuple(fc.jsonValue(), fc.jsonValue()).map(pair => `${pair.map(value => Buffer.from(JSON.stringify(value)).toString('base64url')).join('.')}.${parts[2]}`),
      fc.jsonValue().map(value => `${parts[0]}.${Buffer.from(JSON.stringify(value)).toString('base64url')}.${parts[2]}`),
      fc.uint8Array({ maxLength: 300 }).map(bytes => `${parts[0]}.${Buffer.from(bytes).toString('base64url')}.${parts[2]}`),
      fc.array(fc.constantFrom(...parts, '', 'e30', '.'), { maxLength: 8 }).map(pieces => pieces.join('.')),
      fieldValue
    ).filter(token => token !== good && /^[\x20-\x7e\x80-\xff]*$/.test(token))
    await fc.assert(fc.asyncProperty(mutation, fc.constantFrom(...targets), async (token, target) => {
      await ask(target, { token })
      await ask(target, { headers: { cookie: `access=${token}`, 'sec-fetch-site': 'same-origin' } })
      const { status } = await service.call('GET /auth/verify', { token })
      return status === 401
    }), RUNS)
    t.equal((await service.call('GET /auth/verify', { token: good })).status, 200)
  })

  t.test('mutated refresh tokens', async t => {
    const good = ada.refreshToken
    const mutation = fc.oneof(
      fc.tuple(fc.nat(good.length), fc.nat(10), fc.string({ unit: 'binary', maxLength: 10 })).map(([at, cut, text]) => good.slice(0, at) + text + good.slice(at + cut)),
      fc.string({ unit: 'binary', maxLength: 400 })
    ).filter(token => token !== good)
    await fc.assert(fc.asyncProperty(mutation, async refreshToken => {
      await ask('POST /auth/refresh', { json: { refreshToken } })
      await ask('POST /auth/logout', { json: { refreshToken } })
    }), RUNS)
    t.equal((await service.call('GET /auth/verify', { token: ada.accessToken })).status, 200)
  })

  t.test('any headers', async t => {
    const names = fc.constantFrom('authorization', 'cookie', 'origin', 'sec-fetch-site', 'x-countersign', 'content-type', 'accept', 'host', 'user-agent', 'idempotency-key', 'x-forwarded-for', 'x-forwarded-proto',
      'x-forwarded-host', 'forwarded', 'if-none-match', 'range', 'expect', 'accept-encoding', 'x-http-method-override', 'access-control-request-method', 'content-language', 'te', 'prefer')
    await fc.assert(fc.asyncProperty(fc.dictionary(names, fieldValue, { maxKeys: 6 }), fc.constantFrom(...targets), async (headers, target) => {
      await ask(target, { headers })
      await ask(target, { headers: { ...headers, authorization: `Bearer ${admin.accessToken}` } })
    }), RUNS)
    t.equal((await service.call('GET /auth/verify', { token: admin.accessToken })).status, 200)
  })

  t.test('any cookies', async t => {
    const name = fc.oneof(fc.constantFrom('access', 'refresh', 'session', 'device', '__Host-access', 'ACCESS', ''), fieldValue)
    const value = fc.oneof(fc.constantFrom(...Object.values(cookies), ada.accessToken), fieldValue)
    await fc.assert(fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 5 }), fc.constantFrom(...targets), async (pairs, target) => {
      await ask(target, { headers: { cookie: pairs.map(pair => pair.join('=')).join(';'), 'sec-fetch-site': 'none' } })
    }), RUNS)
    t.equal((await service.call('GET /auth/verify', { cookies })).status, 200)
  })

  t.test('any JSON', async t => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.constantFrom(ada.email, ada.password, ada.refreshToken, '\0', '\ud800', '', ' ', 'a@b.cd', 'x'.repeat(2000), '__proto__', "'; --", '{7*7}'))
    const value = fc.oneof({ weight: 3, arbitrary: text }, { weight: 1, arbitrary: fc.jsonValue() })
    const field = fc.constantFrom('email', 'password', 'name', 'deliver', 'refreshToken', 'audience', 'currentPassword', 'newPassword', 'role', 'disabled', 'toString', 'constructor', 'length')
    const body = fc.oneof(
      { weight: 4, arbitrary: fc.dictionary(field, value, { maxKeys: 5 }) },
      { weight: 2, arbitrary: fc.record({ email: text, password: text, name: text }, { requiredKeys: ['email', 'password'] }) },
      { weight: 1, arbitrary: fc.record({ name: text }) },
      { weight: 1, arbitrary: fc.jsonValue() }
    )
    await fc.assert(fc.asyncProperty(body, fc.constantFrom(...writing), async (json, target) => {
      await ask(target, { json })
      await ask(target, { json, token: ada.accessToken })
    }), RUNS)
    t.equal((await service.call('GET /auth/me', { token: ada.accessToken })).status, 200)
  })

  t.test('any text for a body', async t => {
    const body = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.json().map(text => text.slice(0, -1)), fc.json().map(text => text.replace(/"/g, "'")), fc.nat(40).map(depth => '['.repeat(depth)))
    const type = fc.constantFrom('application/json', 'application/json; charset=utf-16', 'application/json;', 'APPLICATION/JSON', 'text/plain', 'application/x-www-form-urlencoded', '', 'application/json, text/plain', 'multipart/form-data', '%', 'x'.repeat(300))
    await fc.assert(fc.asyncProperty(body, type, fc.constantFrom(...targets), async (text, contentType, target) => {
      await ask(target, { text, headers: { 'content-type': contentType } })
    }), RUNS)
    t.equal((await service.call('GET /health/live')).status, 200)
  })

  t.test('any path and query', async t => {
    const piece = fc.oneof(fc.constantFrom('auth', 'admin', 'users', 'me', 'verify', 'sessions', '..', '.', '%2e%2e', '%00', '%', '%zz', '%c0%af', ':id', '*', ada.user.id, `urn:uuid:${ada.user.id}`, ''), fc.webSegment())
    const query = fc.oneof(fc.webQueryParameters(), fc.constantFrom('limit=', 'limit=1&limit=2', 'cursor=%00', 'limit[]=1', 'cursor[a]=b', '__proto__[x]=1', '%', '%zz=%zz', '&&&==', 'limit=1e400', `cursor=${'A'.repeat(22)}`))
    await fc.assert(fc.asyncProperty(fc.array(piece, { maxLength: 5 }), query, fc.constantFrom('GET', 'HEAD', 'DELETE', 'PUT'), async (pieces, parameters, method) => {
      const path = `/${pieces.join('/')}`
      // These would do as they are told.
      if (method === 'DELETE' && /me|sessions|users/.test(path)) return
      const { status } = await service.call(`${method} ${path}?${parameters}`, { token: admin.accessToken })
      if (status >= 500) throw new Error(`${status}`)
    }), RUNS)
    t.equal((await service.call('GET /admin/users', { token: admin.accessToken })).status, 200)
  })

  t.test('and nothing was logged as a failure', async t => {
    t.strictSame(service.log.filter(({ level }) => level >= 50).map(({ err }) => err), [])
  })
})
