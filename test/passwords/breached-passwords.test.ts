import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { ConfigurationError, readConfig } from '../../src/config.ts'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { present } from '../support/presence.ts'
import { isProblem } from '../support/problem.ts'
import { PASSWORD, startService, type TestService } from '../support/service.ts'

const BREACHED = 'a password of the breach'
const sha1 = (text: string) => createHash('sha1').update(text).digest('hex').toUpperCase()
const padding = Array.from({ length: 800 }, (_, index) => `${sha1(String(index)).slice(5)}:0`)

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A service of ranges, on the loopback. It knows what is breached, and pads. */
async function startRanges (t: Test, answer?: Handler) {
  const asked: IncomingMessage[] = []
  const ranges = { answer }
  const server = createServer((request, response) => {
    asked.push(request)
    if (ranges.answer !== undefined) return ranges.answer(request, response)
    const prefix = request.url?.slice(-5) ?? ''
    const known = [BREACHED, 'another one of the breach'].map(sha1).filter(hash => hash.startsWith(prefix)).map(hash => `${hash.slice(5)}:42`)
    response.end([...padding.slice(0, 400), ...known, ...padding.slice(400)].join('\r\n'))
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.closeAllConnections(); server.close() })
  return Object.assign(ranges, { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/range` })
}

let count = 0
const register = ({ call }: TestService, password: string) => call('POST /auth/register', { json: { email: `ada-${++count}@example.com`, password } })
const unavailable = async ({ call }: TestService) => /^countersign_breached_passwords_unavailable_total (\d+)$/m.exec((await call('GET /metrics')).text)?.[1]

t.test('a breached password is refused where a password is chosen', async t => {
  const { url, asked } = await startRanges(t)
  const service = await startService(t, { BREACHED_PASSWORDS_URL: url })
  const refused = await register(service, BREACHED)
  isProblem(t, refused, 'weak_password')
  t.match(refused.body.errors, [{ field: 'password', pointer: '#/password', code: 'breached' }])
  t.notMatch(refused.text, BREACHED)

  const person = await service.person()
  const change = (newPassword: string) => service.call('POST /auth/password', present(person, { currentPassword: PASSWORD, newPassword }))
  const answer = await change(BREACHED)
  isProblem(t, answer, 'weak_password')
  t.match(answer.body.errors, [{ field: 'newPassword', code: 'breached' }])
  t.equal((await service.call('GET /auth/me', { token: person.accessToken })).status, 200, 'and nothing has changed')
  t.equal((await change('a staple of nine words')).status, 200)
  t.equal(await unavailable(service), '0')

  t.test('the service of ranges gets five digits, asks for padding, and nothing else is sent', async t => {
    t.ok(asked.length >= 4)
    for (const { url = '', method, headers } of asked) {
      t.match(url, /^\/range\/[0-9A-F]{5}$/)
      t.equal(method, 'GET')
      t.match(headers, { 'add-padding': 'true' })
      t.notOk('cookie' in headers || 'authorization' in headers)
    }
    t.ok(asked.some(({ url }) => url === `/range/${sha1(BREACHED).slice(0, 5)}`))
  })

  t.test('a password that is refused anyway is asked of nobody', async t => {
    const before = asked.length
    isProblem(t, await register(service, '12345678'), 'weak_password')
    t.equal(asked.length, before)
  })

  t.test('a login asks nobody', async t => {
    const before = asked.length
    await service.call('POST /auth/login', { json: { email: person.email, password: BREACHED } })
    t.equal(asked.length, before)
  })
})

t.test('what is padding is not breached', async t => {
  const { url } = await startRanges(t, (_request, response) => { response.end(`${sha1(BREACHED).slice(5)}:0\r\n`) })
  const service = await startService(t, { BREACHED_PASSWORDS_URL: url })
  t.equal((await register(service, BREACHED)).status, 201)
})

t.test('without an answer every password is taken, within a second or so, and counted', async t => {
  const ranges = await startRanges(t)
  const service = await startService(t, { BREACHED_PASSWORDS_URL: ranges.url })
  const troubles: Record<string, Handler> = {
    'it hangs': () => {},
    'it is slow to the end': (_request, response) => { response.write('0') },
    'it fails': (_request, response) => { response.writeHead(503).end() },
    'it redirects': (_request, response) => { response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end() },
    'it sends without end': (_request, response) => { for (let i = 0; i < 30; i++) response.write('0'.repeat(65_536)) },
    'it hangs up': request => { request.socket.destroy() },
    'it sends what is no range': (_request, response) => { response.end('<html>') }
  }
  let failures = 0
  for (const [about, answer] of Object.entries(troubles)) {
    ranges.answer = answer
    const began = performance.now()
    t.equal((await register(service, BREACHED)).status, 201, about)
    t.ok(performance.now() - began < 6_000, about)
    if (about !== 'it sends what is no range') failures++
    t.equal(await unavailable(service), String(failures), about)
  }
  t.equal(service.log.filter(({ msg }) => msg === 'breached passwords cannot be checked').length, 1, 'said once')
  t.notMatch(service.logText(), new RegExp(`${BREACHED}|${sha1(BREACHED).slice(5)}`))
  ranges.answer = undefined
  isProblem(t, await register(service, BREACHED), 'weak_password')
  t.equal(service.log.filter(({ msg }) => msg === 'breached passwords are checked again').length, 1)
})

t.test('the objections of the policy have their names too', async t => {
  const service = await startService(t)
  for (const [password, code] of [['short', 'too_short'], ['12345678', 'too_common']] as const) t.match((await register(service, password)).body.errors, [{ field: 'password', code }])
})

t.test('the service of ranges is asked by https, except on this machine', async t => {
  const read = (url: string) => readConfig({ COUNTERSIGN_SECRET: generateSecret(), JWT_SECRET: generateSecret(), BREACHED_PASSWORDS_URL: url }).breachedPasswordsUrl
  for (const url of ['https://api.pwnedpasswords.com/range', 'https://api.pwnedpasswords.com/range/', 'http://127.0.0.1:8080/range']) t.equal(read(url), url)
  for (const url of ['http://api.pwnedpasswords.com/range', 'ftp://example.com', 'https://user:password@example.com/', 'https://example.com/?q=', 'range']) t.throws(() => read(url), ConfigurationError, url)
})
