import fc from 'fast-check'
import t from 'tap'
import { isSafeMethod, isSafeRequest, passesCsrfCheck } from 'countersign-verifier/internal'

const OWN = 'https://auth.example.com'
const ALLOWED = 'https://app.example.com'
const ORIGINS = [OWN, ALLOWED]
const passes = (headers: Record<string, string | string[] | undefined>, origins = ORIGINS) => passesCsrfCheck({ method: 'POST', headers }, origins)

t.test('only methods that read are safe', async t => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) t.ok(isSafeMethod(method), method)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'CONNECT', 'PROPFIND', 'get', 'Get', ' GET', '', 'GET ']) t.notOk(isSafeMethod(method), method)
})

t.test('a request is as safe as the least safe thing that it says', async t => {
  const isSafe = (headers: Record<string, string | string[]>, method = 'GET') => isSafeRequest({ method, headers })
  t.ok(isSafe({}))
  t.notOk(isSafe({}, 'POST'))
  for (const method of ['GET', 'get', 'Head', 'OPTIONS', 'TRACE']) t.ok(isSafe({ 'x-forwarded-method': method }), method)
  for (const method of ['POST', 'query', '', 'GET, GET', 'GET,POST', ['GET'], ['GET', 'GET'], []]) t.notOk(isSafe({ 'x-forwarded-method': method }), JSON.stringify(method))
  t.notOk(isSafe({ 'x-forwarded-method': 'GET' }, 'POST'))
  for (const name of ['upgrade', 'x-forwarded-upgrade']) {
    for (const value of ['websocket', 'WebSocket', ' websocket ', 'h2c,websocket', 'websocket/13, h2c', ['h2c', 'websocket'], ['websocket']]) t.notOk(isSafe({ [name]: value }), `${name}: ${JSON.stringify(value)}`)
    for (const value of ['', 'h2c', 'websockets', 'web socket', 'x/websocket', 'x-websocket']) t.ok(isSafe({ [name]: value }), `${name}: ${value}`)
  }
})

const SITES = [undefined, 'same-origin', 'none', 'same-site', 'cross-site', '', 'Same-Origin', 'same-origin, cross-site', 'same-origin ', 'anything']
const FOREIGN_ORIGINS = [
  'null', '', '*', 'https://attacker.example', 'http://auth.example.com', 'https://auth.example.com:443', 'https://auth.example.com:8443', `${OWN}/`, `${OWN} `,
  'https://AUTH.example.com', 'https://evil.auth.example.com', 'https://auth.example.com.attacker.example', 'https://auth.example.com@attacker.example', `${OWN}, ${ALLOWED}`,
  'auth.example.com', 'file://'
]
const MARKS = [undefined, '1', '', '0', 'true', '1, 1']

t.test('every combination of what a client says of where it comes from', async t => {
  for (const site of SITES) {
    for (const origin of [undefined, ...ORIGINS, ...FOREIGN_ORIGINS]) {
      for (const mark of MARKS) {
        const expected = site === 'same-origin' || site === 'none' ||
          origin === OWN || origin === ALLOWED ||
          (site === undefined && origin === undefined && mark === '1')
        const given = { 'sec-fetch-site': site, origin, 'x-countersign': mark }
        t.equal(passes(given), expected, JSON.stringify(given))
      }
    }
  }
})

t.test('a header that came in several pieces is not believed', async t => {
  t.notOk(passes({ origin: [OWN] }))
  t.notOk(passes({ origin: [OWN, ALLOWED] }))
  t.notOk(passes({ 'sec-fetch-site': ['same-origin'] }))
  t.notOk(passes({ 'x-countersign': ['1'] }))
  t.notOk(passes({ 'sec-fetch-site': ['same-origin'], 'x-countersign': '1' }))
})

t.test('a browser that says it crosses sites is not let off by the mark', async t => {
  for (const site of ['cross-site', 'same-site']) t.notOk(passes({ 'sec-fetch-site': site, 'x-countersign': '1' }), site)
  t.notOk(passes({ origin: 'https://attacker.example', 'x-countersign': '1' }))
})

t.test('neither null nor * ever is an origin, even where somebody allows it', async t => {
  t.notOk(passes({ origin: 'null' }, ['null', '*']))
  t.notOk(passes({ origin: '*' }, ['null', '*']))
  t.notOk(passes({ origin: 'https://attacker.example' }, ['*']))
  t.notOk(passes({ origin: OWN }, []))
})

t.test('no other origin passes', async t => {
  fc.assert(fc.property(fc.oneof(fc.webUrl(), fc.string(), fc.constantFrom(...ORIGINS)), origin => passes({ origin }) === ORIGINS.includes(origin)))
  t.ok(passes({ origin: ALLOWED }))
})
