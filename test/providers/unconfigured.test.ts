import t from 'tap'
import { isProblem } from '../support/problem.ts'
import { startService } from '../support/service.ts'

const GOOGLE = { ALLOWED_REDIRECTS: 'https://app.example.com/welcome', GOOGLE_CLIENT_ID: 'web', GOOGLE_CLIENT_SECRET: 'secret' }
const EXCHANGE = { code: 'x'.repeat(43), codeVerifier: 'v'.repeat(43) }
const ID = '01890a5d-ac96-774b-bcce-b302099a8057'

t.test('without a provider, its routes do not exist, and nothing is written', async t => {
  const service = await startService(t)
  const { accessToken } = await service.person()
  // The mail that verifies the new address is made ready when the registration has been answered.
  const rows = () => service.sql("SELECT (SELECT count(*) FROM audit_events) + (SELECT count(*) FROM one_time_tokens WHERE purpose <> 'email_verification') AS count")
  const before = await rows()
  for (const [target, json] of [
    ['POST /auth/providers/exchange', EXCHANGE], ['POST /auth/providers/google/token', { idToken: 'x', nonce: 'x' }], ['GET /auth/providers/google'], ['GET /auth/providers/google/callback?code=x&state=x'],
    ['POST /auth/identities/link', { provider: 'google' }], ['POST /auth/identities/link/exchange', EXCHANGE], [`GET /auth/identities/${ID}/token`]
  ] as const) {
    isProblem(t, await service.call(target, { token: accessToken, ...json !== undefined && { json } }), 'not_found', target)
  }
  t.strictSame(await rows(), before)
  t.strictSame(Object.keys(service.app.swagger().paths ?? {}).filter(path => /providers|identities/.test(path)), ['/auth/providers', '/auth/identities', '/auth/identities/{id}'])
})

t.test('but the list is there, and what somebody linked before can be seen and unlinked', async t => {
  const service = await startService(t)
  const { accessToken, refreshToken, user } = await service.person()
  t.match(await service.call('GET /auth/providers'), { status: 200, body: { items: [] } })
  await service.sql("INSERT INTO identities (id, user_id, provider, issuer, subject) VALUES ($1::uuid, $2::uuid, 'acme', 'https://acme.example', 'ada')", ID, user.id)
  t.match(await service.call('GET /auth/identities', { token: accessToken }), { status: 200, body: { items: [{ id: ID, provider: 'acme' }] } })
  t.equal((await service.call(`DELETE /auth/identities/${ID}`, { token: accessToken, json: { refreshToken } })).status, 204)
})

t.test('a route that no configured provider needs does not exist either', async t => {
  const { app } = await startService(t, GOOGLE)
  t.strictSame([app.hasRoute({ method: 'POST', url: '/auth/providers/exchange' }), app.hasRoute({ method: 'POST', url: '/auth/providers/:provider/token' }), app.hasRoute({ method: 'GET', url: '/auth/identities/:id/token' })], [true, false, false])
  const all = await startService(t, { ...GOOGLE, GOOGLE_NATIVE_CLIENT_IDS: 'app', GOOGLE_KEEP_TOKENS: 'true' })
  t.strictSame([all.app.hasRoute({ method: 'POST', url: '/auth/providers/:provider/token' }), all.app.hasRoute({ method: 'GET', url: '/auth/identities/:id/token' })], [true, true])
})
