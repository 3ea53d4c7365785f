import t from 'tap'
import { readConfig } from '../../../src/config.ts'
import { generateSecret } from '../../../src/config/generated-secrets.ts'
import { isProblem } from '../../support/problem.ts'
import { startService, type Settings } from '../../support/service.ts'

const DOCUMENTS = ['/docs', '/docs/', '/docs/json', '/docs/static/index.html', '/openapi.json']
const PRODUCTION = { NODE_ENV: 'production', ALLOW_EMBEDDED_DATABASE: 'true', PUBLIC_URL: 'https://auth.example.com' }

t.test('the metrics', async t => {
  t.test('are closed by METRICS=off', async t => {
    const { call } = await startService(t, { METRICS: 'off' })
    isProblem(t, await call('GET /metrics'), 'not_found')
    isProblem(t, await call('GET /metrics', { token: 'off' }), 'not_found')
    t.equal((await call('GET /openapi.json')).status, 200)
    t.notMatch((await call('GET /openapi.json')).text, '"/metrics"')
  })

  t.test('are given to whoever has the token, and to nobody else', async t => {
    const token = generateSecret()
    const service = await startService(t, { METRICS: token })
    const { call } = service
    const admin = await service.admin()
    t.match(await call('GET /metrics', { token }), { status: 200, text: /countersign_tokens_refused_total/ })
    t.equal((await call('GET /metrics', { headers: { authorization: `bearer  ${token}` } })).status, 200)
    for (const authorization of [undefined, '', 'Bearer', 'Bearer ', `Bearer ${token.slice(0, -1)}`, `Bearer ${token}x`, `Basic ${token}`, token, `Bearer ${admin.accessToken}`]) {
      const answer = await call('GET /metrics', authorization === undefined ? {} : { headers: { authorization } })
      isProblem(t, answer, 'unauthenticated', String(authorization))
      t.match(answer.headers['www-authenticate'], /^Bearer/)
    }
    isProblem(t, await call(`GET /metrics?token=${token}`), 'unauthenticated')
    isProblem(t, await call('GET /auth/verify', { token }), 'invalid_token', 'the token opens nothing else')
    t.notMatch(service.logText(), token)
  })

  t.test('need a strong token, and an error does not repeat it', async t => {
    for (const METRICS of ['of', 'on', 'OPEN', 'true', 'short', 'a'.repeat(40), 'with spaces that are long enough for it', 'changeme-changeme-changeme-changeme']) {
      t.throws(() => readConfig({ METRICS, COUNTERSIGN_SECRET: generateSecret(), JWT_SECRET: generateSecret() }), { message: /^ {2}METRICS must be open, off, or a /m }, METRICS)
    }
    t.throws(() => readConfig({ METRICS: 'hunter2', COUNTERSIGN_SECRET: generateSecret(), JWT_SECRET: generateSecret() }), { message: /^(?!.*hunter2)/s })
  })
})

t.test('the API page and its document are closed by API_DOCS=off', async t => {
  const { call } = await startService(t, { API_DOCS: 'off' })
  for (const path of DOCUMENTS) isProblem(t, await call(`GET ${path}`), 'not_found', path)
  t.equal((await call('GET /metrics')).status, 200)
  t.equal((await call('POST /auth/register', { json: { email: 'ada@example.com', password: 'correct horse battery' } })).status, 201, 'and the routes work without it')
})

t.test('what is open is said at the start, in production', async t => {
  const closed = { METRICS: 'off', API_DOCS: 'off' }
  const cases: ReadonlyArray<readonly [name: string, settings: Settings, open: string[]]> = [
    ['nothing closed', PRODUCTION, ['/metrics', '/docs', '/openapi.json']],
    ['metrics with a token', { ...PRODUCTION, METRICS: generateSecret() }, ['/docs', '/openapi.json']],
    ['no API page', { ...PRODUCTION, API_DOCS: 'off' }, ['/metrics']],
    ['all closed', { ...PRODUCTION, ...closed }, []],
    ['in development', {}, []]
  ]
  for (const [name, settings, open] of cases) {
    await t.test(name, async t => {
      const service = await startService(t, settings)
      await service.listen()
      t.strictSame(service.log.filter(({ open }) => open !== undefined).map(({ level, open }) => ({ level, open })), open.length === 0 ? [] : [{ level: 40, open }])
    })
  }
})
