import t from 'tap'
import { startService } from '../../support/service.ts'

const OURS = 'https://app.example.com'

t.test('a service over https', async t => {
  const { call } = await startService(t, { PUBLIC_URL: 'https://auth.example.com', ALLOWED_ORIGINS: `${OURS},https://shop.example.com:8443` })

  t.test('is live and ready', async t => {
    const live = await call<unknown>('GET /health/live')
    t.match(live, { status: 200, headers: { 'cache-control': 'no-store' } })
    t.strictSame(live.body, { status: 'ok' })
    const ready = await call<{ status: string, checks: Record<string, string> }>('GET /health/ready')
    t.match(ready, { status: 200, headers: { 'cache-control': 'no-store' } })
    t.strictSame(ready.body.status, 'ok')
    t.equal(ready.body.checks.database, 'ok')
    t.strictSame([...new Set(Object.values(ready.body.checks))], ['ok'])
  })

  t.test('sends security headers with every answer', async t => {
    for (const target of ['GET /health/live', 'GET /auth/verify', 'POST /auth/login', 'GET /nothing']) {
      const { headers } = await call(target)
      t.match(headers, {
        'content-security-policy': /default-src 'none'.*frame-ancestors 'none'/,
        'strict-transport-security': /max-age=\d{7,}/,
        'x-content-type-options': 'nosniff',
        'x-frame-options': /^(DENY|SAMEORIGIN)$/,
        'referrer-policy': 'no-referrer'
      }, target)
      t.notOk('x-powered-by' in headers, target)
    }
  })

  t.test('lets pages of allowed origins read its answers, with cookies', async t => {
    for (const origin of [OURS, 'https://shop.example.com:8443', 'https://auth.example.com']) {
      const { headers } = await call('GET /auth/verify', { headers: { origin } })
      t.equal(headers['access-control-allow-origin'], origin)
      t.equal(headers['access-control-allow-credentials'], 'true')
      t.match(headers.vary, /\borigin\b/i)
    }
  })

  t.test('lets pages of no other origin', async t => {
    for (const origin of ['https://evil.example', 'null', 'http://app.example.com', `${OURS}.evil.example`, `${OURS}:8443`, 'https://shop.example.com', '*', 'https://APP.example.com']) {
      const { headers } = await call('GET /auth/verify', { headers: { origin } })
      t.notOk(headers['access-control-allow-origin'], origin)
    }
  })

  t.test('answers preflights by the same rule', async t => {
    const preflight = (origin: string) => call('OPTIONS /auth/me', { headers: { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'content-type' } })
    const ours = await preflight(OURS)
    t.match(ours, { status: 204, headers: { 'access-control-allow-origin': OURS, 'access-control-allow-credentials': 'true', 'access-control-allow-methods': /PATCH/, 'access-control-allow-headers': 'content-type' } })
    t.notOk((await preflight('https://evil.example')).headers['access-control-allow-origin'])
  })
})

t.test('a service over plain http', async t => {
  const { call } = await startService(t)

  t.test('does not pin https', async t => {
    t.notOk('strict-transport-security' in (await call('GET /health/live')).headers)
  })

  t.test('believes no forwarded header without TRUST_PROXY', async t => {
    const { headers } = await call('GET /auth/verify', { headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', 'x-original-url': '/admin/users', 'x-rewrite-url': '/admin/users' } })
    t.notMatch(JSON.stringify(headers), /evil/)
  })
})
