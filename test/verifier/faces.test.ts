import type { IncomingMessage, ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { createVerifier } from 'countersign-verifier'
import { catalogue, Problem, toProblemDocument, type ProblemCode } from '../../src/errors.ts'
import { fitsInHeader, hostileTokens, oddTokens, SUBJECT } from '../support/hostile-tokens.ts'
import { statusWith } from '../support/raw-headers.ts'
import { goodToken, ISSUER, OPTIONS } from '../support/verifiers.ts'
import { openWebSocket } from '../support/web-socket.ts'
import { faces, type FaceAnswer } from './faces.ts'

const COOKIES = { publicUrl: 'https://auth.example.com', allowedOrigins: ['https://app.example.com'] }
const CLIENT = { sub: 'client_shop', client_id: 'client_shop', sid: undefined, role: undefined, ver: undefined, email: undefined, email_verified: undefined }
const now = () => Date.now() / 1000
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const cookie = (token: string, name = '__Host-access') => ({ cookie: `${name}=${token}` })

/** Holds an answer to what the service itself says. */
function isProblem (t: Test, { status, headers, body }: FaceAnswer, code: ProblemCode, authenticate: string | undefined, about = ''): void {
  const expected = toProblemDocument(new Problem(code))
  t.strictSame({ status, body, type: headers['content-type'], authenticate: headers['www-authenticate'], cached: headers['cache-control'] },
    { status: expected.status, body: { ...expected }, type: 'application/problem+json; charset=utf-8', authenticate, cached: 'no-store' }, about)
}

for (const [name, start] of Object.entries(faces)) {
  t.test(name, async t => {
    const service = await start(t, { ...OPTIONS, ...COOKIES })

    t.test('refuses every hostile token, by header and by cookie', async t => {
      let asked = 0
      for (const { name, write } of hostileTokens(ISSUER)) {
        const token = write(now())
        if (!fitsInHeader(token) || token.length > 15_000) continue
        asked++
        const header = await service.call('GET /mine', bearer(token))
        t.strictSame([header.status, header.body.code, header.headers['www-authenticate']], [401, 'invalid_token', 'Bearer error="invalid_token"'], name)
        if (/^[\w.=+/-]+$/.test(token)) t.equal((await service.call('GET /mine', cookie(token))).status, 401, `${name}, as a cookie`)
      }
      t.ok(asked > 150, `${asked} tokens`)
    })

    t.test('accepts every odd one', async t => {
      for (const { name, write } of oddTokens(ISSUER)) {
        const { status, body } = await service.call('GET /mine', bearer(write(now())))
        t.match({ status, body }, { status: 200, body: { id: SUBJECT.sub, role: 'user', credential: 'bearer' } }, name)
      }
    })

    t.test('without a credential: 401, and no error named', async t => {
      isProblem(t, await service.call('GET /mine'), 'unauthenticated', 'Bearer')
      for (const headers of [{ authorization: 'Basic eDp5' }, { authorization: goodToken() }, { authorization: 'Bearerx y' }, cookie(goodToken(), '__Host-session'), cookie(goodToken(), 'access')] as Array<Record<string, string>>) {
        isProblem(t, await service.call('GET /mine', headers), 'unauthenticated', 'Bearer', JSON.stringify(headers))
      }
      t.equal((await service.call(`GET /mine?access_token=${goodToken()}`)).status === 200, false, 'a token in the query string is none')
    })

    t.test('a bad credential: 401, and what is wrong with it is nobody\'s business', async t => {
      for (const token of ['x', goodToken({ exp: 1 }), goodToken({ aud: 'billing' }), goodToken(CLIENT)]) {
        isProblem(t, await service.call('GET /mine', bearer(token)), 'invalid_token', 'Bearer error="invalid_token"')
      }
    })

    t.test('the scheme is read in any case', async t => {
      for (const scheme of ['Bearer', 'bearer', 'BEARER']) t.equal((await service.call('GET /mine', { authorization: `${scheme} ${goodToken()}` })).status, 200, scheme)
      t.equal((await service.call('GET /mine', { authorization: `Bearer   ${goodToken()}` })).status, 200, 'spaces may be several (RFC 9110 §11.4)')
      for (const value of ['Bearer', 'Bearer  x', `Bearer\t${goodToken()}`, `Bearer ${goodToken()} x`]) t.equal((await service.call('GET /mine', { authorization: value })).status, 401, value.slice(0, 10))
    })

    t.test('the first credential decides, and a bad one is not passed over', async t => {
      t.match((await service.call('GET /mine', cookie(goodToken()))).body, { id: SUBJECT.sub, credential: 'cookie' })
      t.match((await service.call('GET /mine', { ...bearer(goodToken()), ...cookie('x') })).body, { credential: 'bearer' })
      t.equal((await service.call('GET /mine', { ...bearer('x'), ...cookie(goodToken()) })).status, 401)
    })

    t.test('two Authorization headers are no credential, in either order', async t => {
      const good = ['Authorization', `Bearer ${goodToken()}`]
      t.equal(await statusWith('GET /mine', service.origin, good), 200)
      for (const pair of [[...good, ...good], [...good, 'authorization', 'Bearer x'], ['AUTHORIZATION', 'Basic x', ...good]]) {
        t.equal(await statusWith('GET /mine', service.origin, pair), 401)
        t.equal(await statusWith('GET /mine', service.origin, [...pair, 'Cookie', `__Host-access=${goodToken()}`]), 401, 'nor is the cookie beside them')
      }
    })

    t.test('a cookie that came twice is refused, the same value or not', async t => {
      const token = goodToken()
      for (const sent of [`__Host-access=${token}; __Host-access=${token}`, `__Host-access=x; a=b; __Host-access=${token}`, `__Host-access=${token};__Host-access=`]) {
        isProblem(t, await service.call('GET /mine', { cookie: sent }), 'invalid_token', 'Bearer error="invalid_token"')
      }
      for (const sent of [`a=b; __Host-access=${token}`, `x__Host-access=y; __Host-access=${token}`, `__Host-access=${token}; __Host-access2=x; __host-access=x`]) {
        t.equal((await service.call('GET /mine', { cookie: sent })).status, 200, sent.replace(token, '…'))
      }
    })

    t.test('an unsafe request with the cookie has to come from where it may', async t => {
      const sources: Array<[Record<string, string>, boolean]> = [
        [{ 'sec-fetch-site': 'same-origin' }, true],
        [{ 'sec-fetch-site': 'none' }, true],
        [{ 'sec-fetch-site': 'cross-site' }, false],
        [{ 'sec-fetch-site': 'same-site' }, false],
        [{ 'sec-fetch-site': 'cross-site', origin: 'https://app.example.com' }, true],
        [{ origin: 'https://auth.example.com' }, true],
        [{ origin: 'https://app.example.com' }, true],
        [{ origin: 'https://evil.example' }, false],
        [{ origin: 'null' }, false],
        [{ origin: 'https://app.example.com.evil.example', 'x-countersign': '1' }, false],
        [{ 'x-countersign': '1' }, true],
        [{ 'x-countersign': '0' }, false]
      ]
      // fetch itself says `sec-fetch-mode` and no site: as every client that is no browser.
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        for (const [source, passes] of sources) {
          const about = `${method} ${JSON.stringify(source)}`
          const answer = await service.call(`${method} /mine`, { ...cookie(goodToken()), ...source })
          if (passes) t.equal(answer.status, 200, about)
          else isProblem(t, answer, 'cross_site_request', undefined, about)
          t.equal((await service.call(`${method} /mine`, { ...bearer(goodToken()), ...source })).status, 200, `${about}, without the cookie`)
        }
      }
      const hostile = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
      t.equal((await service.call('GET /mine', { ...cookie(goodToken()), ...hostile })).status, 200, 'reading is let alone')
      t.equal((await service.call('POST /mine', { ...cookie(goodToken()), ...bearer(goodToken()), ...hostile })).status, 403, 'a Bearer token beside it changes nothing')
    })

    t.test('what a gateway asks about, and a WebSocket handshake, are held to the same rule', async t => {
      const hostile = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
      const own = { origin: 'https://app.example.com' }
      const ofUnsafe = [{ 'x-forwarded-method': 'POST' }, { 'x-forwarded-method': 'GET, GET' }, { 'x-forwarded-method': 'STEAL' }, { 'x-forwarded-upgrade': 'WebSocket' }, { 'x-forwarded-upgrade': 'h2c, websocket' }]
      for (const says of ofUnsafe) {
        const about = JSON.stringify(says)
        isProblem(t, await service.call('GET /mine', { ...cookie(goodToken()), ...hostile, ...says }), 'cross_site_request', undefined, about)
        isProblem(t, await service.call('GET /admin', { ...cookie(goodToken({ role: 'admin' })), ...hostile, ...says }), 'cross_site_request', undefined, about)
        t.equal((await service.call('GET /mine', { ...cookie(goodToken()), ...own, ...says })).status, 200, about)
        t.equal((await service.call('GET /mine', { ...bearer(goodToken()), ...hostile, ...says })).status, 200, `${about}, without the cookie`)
      }
      for (const says of [{ 'x-forwarded-method': 'get' }, { 'x-forwarded-upgrade': 'h2c' }]) t.equal((await service.call('GET /mine', { ...cookie(goodToken()), ...hostile, ...says })).status, 200, JSON.stringify(says))

      const open = (headers: Record<string, string>) => openWebSocket(`${service.origin}/mine`, headers)
      t.equal(await open({ ...cookie(goodToken()), ...hostile }), 403)
      t.equal(await open({ ...cookie(goodToken()), origin: 'https://evil.example', upgrade: 'h2c, WebSocket' }), 403)
      t.equal(await open({ ...cookie(goodToken()) }), 403)
      t.equal(await open({ ...cookie(goodToken()), ...own }), 200, 'let in, though nobody opens it here')
    })

    t.test('a role that is missing: 403', async t => {
      isProblem(t, await service.call('GET /admin', bearer(goodToken())), 'forbidden', 'Bearer error="insufficient_scope"')
      t.match(await service.call('GET /admin', bearer(goodToken({ role: 'admin' }))), { status: 200, body: { role: 'admin' } })
      isProblem(t, await service.call('GET /admin'), 'unauthenticated', 'Bearer')
    })

    t.test('another service is let in by its scopes, where users are not', async t => {
      const scope = 'orders:read orders:write'
      t.match(await service.call('GET /service', bearer(goodToken({ ...CLIENT, scope }))), { status: 200, body: { id: 'client_shop', scopes: ['orders:read', 'orders:write'] } })
      for (const fewer of ['orders:read', 'orders:readorders:write', '', undefined]) {
        isProblem(t, await service.call('GET /service', bearer(goodToken({ ...CLIENT, scope: fewer || undefined }))), 'insufficient_scope', 'Bearer error="insufficient_scope", scope="orders:read orders:write"')
      }
      isProblem(t, await service.call('GET /service', bearer(goodToken({ scope }))), 'invalid_token', 'Bearer error="invalid_token"', 'a user is no client')
      isProblem(t, await service.call('GET /service', bearer(goodToken({ ...CLIENT, role: 'admin', scope }))), 'invalid_token', 'Bearer error="invalid_token"')
      isProblem(t, await service.call('GET /service', cookie(goodToken({ ...CLIENT, scope }))), 'unauthenticated', 'Bearer')
      isProblem(t, await service.call('GET /mine', bearer(goodToken({ ...CLIENT, scope }))), 'invalid_token', 'Bearer error="invalid_token"', 'a client is no user')
    })

    t.test('two users in turn are never taken for each other', async t => {
      const tokens = ['ada', 'grace'].map(sub => goodToken({ sub }))
      const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => service.call('GET /mine', bearer(String(tokens[index % 2])))))
      t.strictSame(answers.map(({ body }) => body.id), Array.from({ length: 100 }, (_, index) => ['ada', 'grace'][index % 2]))
    })

    t.test('the cookie is named by the service\'s rule, or as it is told', async t => {
      const names: Array<[Record<string, unknown>, string | undefined]> = [
        [{ publicUrl: 'https://auth.example.com' }, '__Host-access'],
        [{ publicUrl: 'https://auth.example.com', cookieDomain: 'example.com' }, '__Secure-access'],
        [{ publicUrl: 'http://localhost:3000' }, 'access'],
        [{ publicUrl: 'http://localhost:3000', cookieDomain: 'localhost' }, 'access'],
        [{}, '__Host-access'],
        [{ cookieName: 'my-access' }, 'my-access'],
        [{ cookieName: false }, undefined]
      ]
      const verifier = createVerifier(OPTIONS)
      for (const [options, expected] of names) {
        const { call } = await start(t, { verifier, ...options })
        for (const name of ['__Host-access', '__Secure-access', 'access', 'my-access']) {
          t.equal((await call('GET /mine', cookie(goodToken(), name))).status, name === expected ? 200 : 401, `${name} with ${JSON.stringify(options)}`)
        }
      }
    })

    t.test('a bad option is refused by its name', async t => {
      const bad: Array<[Record<string, unknown>, RegExp]> = [
        [{ publicUrl: 'auth.example.com' }, /^publicUrl /],
        [{ cookieName: 'a b' }, /^cookieName /],
        [{ cookieName: true }, /^cookieName /],
        [{ allowedOrigins: ['*'] }, /^allowedOrigins /],
        [{ allowedOrigins: ['null'] }, /^allowedOrigins /],
        [{ allowedOrigins: ['https://app.example.com/'] }, /^allowedOrigins /],
        [{ allowedOrigins: 'https://app.example.com' }, /^allowedOrigins /],
        [{ issuer: '' }, /^issuer /],
        [{ audiance: 'api' }, /^audiance is not an option/]
      ]
      for (const [options, message] of bad) await t.rejects(start(t, { ...OPTIONS, ...options }), { name: 'TypeError', message }, JSON.stringify(options))
      await t.rejects(start(t, OPTIONS, { other: { onStale: 'accept' } }), { name: 'TypeError', message: /onStale/ }, 'nothing is stale where no feed is followed')
    })
  })
}

t.test('refusals are passed on to whoever wants them', async t => {
  const { createGuards, AccessProblem } = await import('countersign-verifier/express')
  const { authenticate } = createGuards({ ...OPTIONS, passRefusals: true })
  const passed = new Promise(resolve => authenticate({ headers: {} } as IncomingMessage, {} as ServerResponse, resolve))
  t.ok(await passed instanceof AccessProblem)
  t.match(await passed, { code: 'unauthenticated', statusCode: 401, headers: { 'www-authenticate': 'Bearer' } })
})

t.test('says what the service says, word for word', async t => {
  const { AccessProblem } = await import('countersign-verifier/express')
  for (const code of ['unauthenticated', 'invalid_token', 'forbidden', 'insufficient_scope', 'cross_site_request', 'unavailable', 'internal_error'] as const) {
    const { statusCode, message } = new AccessProblem(code)
    t.strictSame([statusCode, message], [...catalogue[code]], code)
  }
})
