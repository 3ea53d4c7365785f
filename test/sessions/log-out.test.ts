import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createRefreshTokens } from '../../src/sessions/refresh-token.ts'
import { deriveKeyRing } from '../../src/tokens/derived-keys.ts'
import { createSeal } from '../../src/tokens/seal.ts'
import { createTokenWriter } from '../support/hostile-tokens.ts'
import { startService, type LoginBody, type Person } from '../support/service.ts'
import { sessionIdOf } from './session-rows.ts'

const OWN_PAGE = { 'sec-fetch-site': 'same-origin' }

t.test('logging out', async t => {
  const service = await startService(t)
  const { call } = service

  async function isLive ({ accessToken }: Pick<LoginBody, 'accessToken'>) {
    const statuses = await Promise.all(['GET /auth/verify', 'GET /auth/me', 'GET /admin/users'].map(async target => (await call(target, { token: accessToken })).status))
    return statuses.every(status => status === 200)
  }

  async function isDead ({ accessToken }: Pick<LoginBody, 'accessToken'>) {
    const answers = await Promise.all(['GET /auth/verify', 'GET /auth/me', 'GET /admin/users'].map(target => call(target, { token: accessToken })))
    return answers.every(({ status, body, headers }) => status === 401 && body.code === 'invalid_token' && headers['www-authenticate'] === 'Bearer error="invalid_token"')
  }

  const endOf = (person: Person) => service.sql('SELECT ended_reason FROM sessions WHERE user_id = $1::uuid AND ended_at IS NOT NULL', person.user.id)

  t.test('by the access token', async t => {
    const admin = await service.admin()
    const other = await service.logIn(admin)
    t.ok(await isLive(admin))
    const { status, text, headers } = await call('POST /auth/logout', { token: admin.accessToken })
    t.equal(status, 204)
    t.equal(text, '')
    t.equal(headers['cache-control'], 'no-store')
    t.notOk(headers['set-cookie'], 'no cookie is cleared where none came')
    t.ok(await isDead(admin))
    t.ok(await isLive(other), 'another session of the same person goes on')
    t.strictSame(await endOf(admin), [{ ended_reason: 'logout' }])
  })

  t.test('by the refresh token in the body', async t => {
    const admin = await service.admin()
    t.equal((await call('POST /auth/logout', { json: { refreshToken: admin.refreshToken } })).status, 204)
    t.ok(await isDead(admin))
    t.equal((await call('POST /auth/refresh', { json: { refreshToken: admin.refreshToken } })).status, 401)
  })

  t.test('by the refresh cookie alone, for the access cookie may have expired', async t => {
    const admin = await service.admin()
    const { access = '', refresh = '' } = await service.cookiesOf(admin)
    const { status, cookies } = await call('POST /auth/logout', { cookies: { refresh }, headers: OWN_PAGE })
    t.equal(status, 204)
    t.strictSame(Object.entries(cookies).map(([name, { value }]) => [name, value]), [['access', ''], ['refresh', ''], ['session', '']])
    t.ok(await isDead({ accessToken: access }))
  })

  t.test('by the refresh cookie, whatever the access cookie beside it', async t => {
    const admin = await service.admin()
    const { access = '', refresh = '' } = await service.cookiesOf(admin)
    t.equal((await call('POST /auth/logout', { cookies: { access: 'expired', refresh }, headers: OWN_PAGE })).status, 204)
    t.ok(await isDead({ accessToken: access }))
  })

  t.test('by the access cookie alone', async t => {
    const admin = await service.admin()
    const { access = '' } = await service.cookiesOf(admin)
    const { status, cookies } = await call('POST /auth/logout', { cookies: { access }, headers: OWN_PAGE })
    t.equal(status, 204)
    t.equal(cookies.access?.value, '')
    t.ok(await isDead({ accessToken: access }))
  })

  t.test('leaves the cookie that shows a known device', async t => {
    const cookies = await service.cookiesOf(await service.person())
    t.ok(cookies.device)
    t.notOk('device' in (await call('POST /auth/logout', { cookies, headers: OWN_PAGE })).cookies)
  })

  t.test('ends the session of every credential that came', async t => {
    const [byHeader, byBody, byCookie] = [await service.admin(), await service.admin(), await service.admin()]
    const { access = '', refresh = '' } = await service.cookiesOf(byCookie)
    const { session = '' } = (await call('POST /auth/login', { json: { email: byCookie.email, password: byCookie.password, deliver: 'session' }, headers: OWN_PAGE })).cookies
    const cookies = { access, refresh, session: session === '' ? '' : session.value }
    const { status, cookies: cleared } = await call('POST /auth/logout', { token: byHeader.accessToken, json: { refreshToken: byBody.refreshToken }, cookies, headers: OWN_PAGE })
    t.equal(status, 204)
    t.strictSame(Object.keys(cleared), ['access', 'refresh', 'session'])
    for (const [name, person] of Object.entries({ byHeader, byBody, access: { accessToken: access } })) t.ok(await isDead(person), name)
    t.equal((await call('GET /auth/verify', { cookies: { session: cookies.session } })).status, 401)
    t.ok(await isLive(byCookie), 'another session of one of them goes on')
  })

  t.test('without a credential is 401 `unauthenticated`', async t => {
    const answer = await call('POST /auth/logout')
    t.match(answer, { status: 401, body: { code: 'unauthenticated' } })
    t.equal(answer.headers['www-authenticate'], 'Bearer')
    t.equal((await call('POST /auth/logout', { json: {} })).status, 401)
  })

  t.test('with a credential of a session that has ended is 204, and it ended once', async t => {
    const admin = await service.admin()
    await call('POST /auth/logout', { token: admin.accessToken })
    t.equal((await call('POST /auth/logout', { token: admin.accessToken })).status, 204)
    t.equal((await call('POST /auth/logout', { json: { refreshToken: admin.refreshToken } })).status, 204)
    t.strictSame(await endOf(admin), [{ ended_reason: 'logout' }])
  })

  t.test('by an expired access token alone: 204 must not leave its session live', async t => {
    const admin = await service.admin()
    const { issuer, audience, secrets, jwtSecrets: [secret = ''] } = service.config
    const writer = createTokenWriter({ secret, issuer, audience, seal: createSeal(deriveKeyRing(secrets, 'seal').map(({ bytes }) => bytes)).create })
    const expired = writer.good(Date.now() / 1000 - 7_200, { sub: admin.user.id, sid: sessionIdOf(admin), role: 'admin' })
    t.match(await call('GET /auth/verify', { token: expired }), { status: 401, body: { code: 'invalid_token' } })
    t.equal((await call('POST /auth/logout', { token: expired })).status, 204)
    t.equal((await call('POST /auth/refresh', { json: { refreshToken: admin.refreshToken } })).status, 401)
    t.strictSame(await endOf(admin), [{ ended_reason: 'logout' }])
  })

  t.test('with an access token that was never issued is 401, and ends nothing', async t => {
    const admin = await service.admin()
    for (const token of ['x', `${admin.accessToken}x`, admin.accessToken.replace(/[^.]+$/, signature => signature.split('').reverse().join(''))]) {
      t.match(await call('POST /auth/logout', { token }), { status: 401, body: { code: 'invalid_token' } })
    }
    t.ok(await isLive(admin))
  })

  t.test('with a refresh token whose MAC is broken is 401 and ends nothing', async t => {
    const admin = await service.admin()
    const [id = '', generation = '', nonce = '', mac = ''] = admin.refreshToken.split('.')
    const other = (character: string) => character === 'A' ? 'B' : 'A'
    const broken = {
      'another MAC': [id, generation, nonce, other(mac.charAt(0)) + mac.slice(1)],
      'the MAC with its spare bits set': [id, generation, nonce, mac.slice(0, -1) + String.fromCharCode(mac.charCodeAt(42) + 1)],
      'no MAC': [id, generation, nonce, ''],
      'three parts': [id, generation, nonce],
      'another nonce': [id, generation, other(nonce.charAt(0)) + nonce.slice(1), mac],
      'another generation': [id, '1', nonce, mac],
      'another session': [id.replace(/.$/, other), generation, nonce, mac],
      'a generation with a zero before it': [id, `0${generation}`, nonce, mac],
      'capitals in the id': [id.toUpperCase(), generation, nonce, mac]
    }
    for (const [name, parts] of Object.entries(broken)) {
      const answer = await call('POST /auth/logout', { json: { refreshToken: parts.join('.') } })
      t.match(answer, { status: 401, body: { code: 'invalid_refresh_token' } }, name)
      t.equal(answer.headers['www-authenticate'], 'Bearer', name)
    }
    for (const refreshToken of ['', 'x', admin.accessToken, `${admin.refreshToken} `]) {
      t.match((await call('POST /auth/logout', { json: { refreshToken } })).status, /401|422/, JSON.stringify(refreshToken.slice(0, 9)))
    }
    t.ok(await isLive(admin))
  })

  t.test('with a refresh token whose MAC is right and whose nonce is not the session\'s ends nothing', async t => {
    const admin = await service.admin()
    const tokens = createRefreshTokens(deriveKeyRing(service.config.secrets, 'refresh'))
    const { sessionId, generation } = tokens.read(admin.refreshToken)
    const forged = tokens.write({ sessionId, generation, nonce: randomBytes(16) })
    await call('POST /auth/logout', { json: { refreshToken: forged } })
    t.ok(await isLive(admin))
    t.strictSame(await endOf(admin), [])
  })

  t.test('an unknown field is named, and ends nothing', async t => {
    const admin = await service.admin()
    const { status, body } = await call('POST /auth/logout', { token: admin.accessToken, json: { sessionId: 'x' } })
    t.match({ status, body }, { status: 422, body: { errors: [{ field: 'sessionId' }] } })
    t.ok(await isLive(admin))
  })
})
