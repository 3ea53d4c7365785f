import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { later } from '../../support/later.ts'
import { APP, startWorld } from '../../support/providers/world.ts'
import { fieldsOf, isProblem } from '../../support/problem.ts'
import type { LoginBody } from '../../support/service.ts'
import { asIs, hostileIdTokens } from '../catalogue/hostile-id-tokens.ts'

const TARGET = 'POST /auth/providers/google/token'

const createNonce = () => randomBytes(16).toString('base64url')
const claimOf = (nonce: string) => createHash('sha256').update(nonce).digest('base64url')

t.test('signing in with the ID token of a native SDK', async t => {
  const { service, google, acme } = await startWorld(t)

  /** The ID token that the SDK returns to the app. */
  function tokenFor (nonce: string, claims: Readonly<Record<string, unknown>> = {}, forgery: Parameters<typeof google.idToken>[0] | object = {}): string {
    return google.idToken({ ...forgery, claims: { aud: 'ios-app', sub: 'ada', email: 'ada@example.com', email_verified: true, name: 'Ada', nonce: claimOf(nonce), jti: randomBytes(8).toString('hex'), ...claims } })
  }
  const send = (idToken: unknown, nonce: unknown, more: object = {}) => service.call<LoginBody>(TARGET, { json: { idToken, nonce, ...more } })
  const sendBad = (idToken: unknown, nonce: unknown) => service.call(TARGET, { json: { idToken, nonce } })

  t.test('creates an account the first time, and finds it later, from any configured native client', async t => {
    const [one, two] = [createNonce(), createNonce()]
    const first = await send(tokenFor(one), one)
    t.match(first, { status: 200, body: { user: { email: 'ada@example.com', emailVerified: true, name: 'Ada' }, tokenType: 'Bearer', accessToken: /\./, refreshToken: /\./ }, cookies: {} })
    t.equal(first.headers['cache-control'], 'no-store')
    const second = await send(tokenFor(two, { aud: 'android-app' }), two)
    t.match(second, { status: 200, body: { user: { id: first.body.user.id } } })
    t.match(await service.call('GET /auth/verify', { token: second.body.accessToken }), { status: 200 })
  })

  t.test('is remembered for as long as the token lives anywhere, though the clock of this machine is ahead', async t => {
    const nonce = createNonce()
    const now = Math.floor(Date.now() / 1000)
    const idToken = tokenFor(nonce, { iat: now, exp: now + 3_600 })
    await later(t, 3_000, async () => { t.equal((await send(idToken, nonce)).status, 200) })
    const [row] = await service.database.query<{ left: number }>({
      name: 'test.last-id-token',
      text: "SELECT extract(epoch FROM expires_at - now())::float8 AS left FROM one_time_tokens WHERE purpose = 'id_token' ORDER BY used_at DESC LIMIT 1"
    }, [])
    const { iat, exp } = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString()) as { iat: number, exp: number }
    t.ok(Number(row?.left) > exp - iat, `${row?.left} s of ${exp - iat}`)
    isProblem(t, await sendBad(idToken, nonce), 'invalid_id_token')
  })

  t.test('requests only the keys from the provider', async t => {
    const asked = google.asked.length
    const nonce = createNonce()
    t.equal((await send(tokenFor(nonce), nonce)).status, 200)
    t.strictSame(google.asked.slice(asked).filter(({ path }) => path !== '/jwks' && !path.startsWith('/.well-known/')), [])
  })

  t.test('is refused', async t => {
    for (const { name, mangle = asIs, claims, ...forgery } of hostileIdTokens({ clientSecret: 'a secret that the provider gave', jku: `${acme.origin}/jku` })) {
      const nonce = createNonce()
      const answer = await sendBad(mangle(tokenFor(nonce, claims, forgery)), nonce)
      if (answer.status === 422) t.strictSame(fieldsOf(answer), ['idToken'], name)
      else isProblem(t, answer, 'invalid_id_token', name)
    }
    t.notOk(acme.asked.some(({ path }) => path === '/jku'))
  })

  t.test('is refused for the client of the browser flow, and for any other', async t => {
    for (const aud of ['countersign-at-google', 'another-app', 'ios', 'ios-app,android-app', 'IOS-APP', ['ios-app', 'another-app'], ['another-app', 'ios-app']]) {
      const nonce = createNonce()
      isProblem(t, await sendBad(tokenFor(nonce, { aud }), nonce), 'invalid_id_token', JSON.stringify(aud))
    }
  })

  t.test('is refused if it was issued to an unknown app', async t => {
    for (const aud of ['ios-app', ['ios-app']]) {
      const nonce = createNonce()
      isProblem(t, await sendBad(tokenFor(nonce, { aud, azp: 'another-app' }), nonce), 'invalid_id_token')
    }
  })

  t.test('is accepted if `azp` and `aud` are both native clients, as on Android', async t => {
    const nonce = createNonce()
    t.equal((await send(tokenFor(nonce, { aud: 'ios-app', azp: 'android-app' }), nonce)).status, 200)
  })

  t.test('is accepted once, until it expires', async t => {
    const nonce = createNonce()
    const token = tokenFor(nonce)
    t.equal((await send(token, nonce)).status, 200)
    isProblem(t, await sendBad(token, nonce), 'invalid_id_token')
    // Another encoding of the same token is the same token.
    isProblem(t, await sendBad(`${token}=`, nonce), 'invalid_id_token')
    isProblem(t, await sendBad(successorOfLast(token), nonce), 'invalid_id_token')
  })

  t.test('that expires in more than a day is refused: it would have to be remembered as long', async t => {
    const nonce = createNonce()
    const now = Math.floor(Date.now() / 1000)
    for (const exp of [now + 90_000, 1e15, 1e300]) isProblem(t, await sendBad(tokenFor(nonce, { exp }), nonce), 'invalid_id_token', String(exp))
    t.equal((await send(tokenFor(nonce, { exp: now + 86_000 }), nonce)).status, 200)
  })

  t.test('that is used twice is in the audit trail; a code that was never issued is not', async t => {
    const nonce = createNonce()
    const json = { idToken: tokenFor(nonce), nonce }
    const from = '192.0.2.77'
    await service.call(TARGET, { json, from })
    await service.call(TARGET, { json, from })
    await service.call('POST /auth/providers/exchange', { json: { code: 'x', codeVerifier: 'v'.repeat(43) }, from })
    await service.audited()
    const failures = await service.sql("SELECT detail FROM audit_events WHERE action = 'login' AND outcome = 'failure' AND ip = $1", from)
    t.strictSame(failures, [{ detail: { provider: 'google', code: 'invalid_id_token' } }])
  })

  t.test('of sixteen concurrent requests with one token, one succeeds', async t => {
    const nonce = createNonce()
    const token = tokenFor(nonce)
    const statuses = (await Promise.all(Array.from({ length: 16 }, () => send(token, nonce)))).map(({ status }) => status)
    t.strictSame(statuses.sort(), [200, ...Array.from({ length: 15 }, () => 401)])
  })

  t.test('requires the app\'s nonce, not the hash in the token', async t => {
    const nonce = createNonce()
    for (const other of [createNonce(), claimOf(nonce), `${nonce}=`, nonce.toUpperCase()]) isProblem(t, await sendBad(tokenFor(nonce), other), 'invalid_id_token', other)
    isProblem(t, await sendBad(tokenFor(nonce, { nonce }), nonce), 'invalid_id_token', 'the nonce itself in the claim')
    for (const [name, claim] of Object.entries({ hex: createHash('sha256').update(nonce).digest('hex'), padded: `${claimOf(nonce)}=`, base64: createHash('sha256').update(nonce).digest('base64') })) {
      isProblem(t, await sendBad(tokenFor(nonce, { nonce: claim }), nonce), 'invalid_id_token', name)
    }
    t.equal((await send(tokenFor(nonce), nonce)).status, 200, 'what is refused uses nothing up')
  })

  t.test('needs both fields, as text', async t => {
    const nonce = createNonce()
    const token = tokenFor(nonce)
    const bad: Array<[field: string, json: object]> = [['nonce', { idToken: token }], ['nonce', { idToken: token, nonce: null }], ['nonce', { idToken: token, nonce: '' }], ['nonce', { idToken: token, nonce: 7 }], ['idToken', { nonce }], ['idToken', { idToken: { a: 1 }, nonce }]]
    for (const [field, json] of bad) {
      const answer = await service.call(TARGET, { json })
      isProblem(t, answer, 'validation_failed', JSON.stringify(Object.keys(json)))
      t.strictSame(fieldsOf(answer), [field])
    }
  })

  t.test('follows the rules for unverified addresses', async t => {
    const victim = await service.person()
    const nonce = createNonce()
    const answer = await sendBad(tokenFor(nonce, { sub: 'attacker', email: victim.email, email_verified: false }), nonce)
    isProblem(t, answer, 'account_exists')
  })

  t.test('of a disabled account is refused', async t => {
    const [one, two] = [createNonce(), createNonce()]
    const { body } = await send(tokenFor(one, { sub: 'gone', email: 'gone@example.com' }), one)
    await service.sql('UPDATE users SET disabled_at = now(), version = version + 1 WHERE id = $1::uuid', body.user.id)
    const { status } = await send(tokenFor(two, { sub: 'gone', email: 'gone@example.com' }), two)
    t.ok(status === 401 || status === 403, String(status))
  })

  t.test('sets cookies only after the CSRF check', async t => {
    const nonce = createNonce()
    const answer = await service.call(TARGET, { json: { idToken: tokenFor(nonce), nonce, deliver: 'cookie' }, headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' } })
    t.ok([403, 422].includes(answer.status))
    t.strictSame(answer.cookies, {})
  })

  t.test('is in no log, and in no table', async t => {
    const nonce = createNonce()
    const token = tokenFor(nonce)
    await send(token, nonce)
    for (const secret of [token, token.split('.')[2] ?? '', nonce]) {
      t.notOk(service.logText().includes(secret))
      t.notOk(JSON.stringify(await service.sql('SELECT to_jsonb(one_time_tokens) AS row FROM one_time_tokens')).includes(secret))
    }
  })

  t.test('is refused for providers without native clients, or without ID tokens', async t => {
    const nonce = createNonce()
    for (const provider of ['acme', 'github', 'facebook', 'nobody']) {
      isProblem(t, await service.call(`POST /auth/providers/${provider}/token`, { json: { idToken: tokenFor(nonce), nonce } }), 'not_found', provider)
    }
  })
})

t.test('OIDC_<NAME>_NATIVE_CLIENT_IDS enables native SDKs of any OpenID provider', async t => {
  const { service, acme, google } = await startWorld(t, { OIDC_ACME_NATIVE_CLIENT_IDS: 'acme-app', ALLOWED_REDIRECTS: APP })
  const nonce = createNonce()
  const claims = { aud: 'acme-app', sub: 'ada', email: 'ada@acme.example', email_verified: true, nonce: claimOf(nonce) }
  t.match(await service.call('POST /auth/providers/acme/token', { json: { idToken: acme.idToken({ claims }), nonce } }), { status: 200, body: { user: { email: 'ada@acme.example', emailVerified: false } } })
  isProblem(t, await service.call('POST /auth/providers/acme/token', { json: { idToken: google.idToken({ claims }), nonce } }), 'invalid_id_token')
  isProblem(t, await service.call('POST /auth/providers/google/token', { json: { idToken: acme.idToken({ claims }), nonce } }), 'invalid_id_token')
})

/** The same bytes in a lenient decoder: an unused bit of the last character is set. */
function successorOfLast (token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return token.slice(0, -1) + alphabet.charAt(alphabet.indexOf(token.slice(-1)) + 1)
}
