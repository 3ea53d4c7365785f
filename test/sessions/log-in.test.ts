import t from 'tap'
import { PASSWORD, startService, type LoginBody } from '../support/service.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

t.test('logging in', async t => {
  const service = await startService(t)

  t.test('answers with the account and both tokens', async t => {
    const { email, user } = await service.person()
    const { status, headers, body, cookies } = await service.call<LoginBody>('POST /auth/login', { json: { email, password: PASSWORD } })
    t.equal(status, 200)
    t.strictSame(body, { user, accessToken: body.accessToken, refreshToken: body.refreshToken, tokenType: 'Bearer', expiresIn: 600 })
    t.match(user, { id: UUID, email, emailVerified: false, name: 'Ada Lovelace', role: 'user', createdAt: INSTANT })
    t.equal(headers['cache-control'], 'no-store')
    t.strictSame(cookies, {}, 'no cookie for who asked for none')
  })

  t.test('gives tokens of a session of its own each time', async t => {
    const person = await service.person()
    const [first, second] = [await service.logIn(person), await service.logIn(person)]
    const sessionOf = ({ accessToken }: LoginBody) => service.call<{ sessionId: string }>('GET /auth/verify', { token: accessToken })
    t.not((await sessionOf(first)).body.sessionId, (await sessionOf(second)).body.sessionId)
    t.not(first.refreshToken, second.refreshToken)
  })

  t.test('the access token carries the claims of the protocol and no more', async t => {
    const { accessToken, user } = await service.person()
    const [header, claims] = accessToken.split('.').slice(0, 2).map(part => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>)
    t.strictSame(Object.keys(header ?? {}).sort(), ['alg', 'kid', 'typ'])
    t.match(header, { alg: 'HS256', typ: 'at+jwt', kid: /^[\w-]+$/ })
    t.match(claims, {
      iss: service.config.issuer, aud: 'api', sub: user.id, sid: UUID, client_id: 'countersign', role: 'user', ver: 1, email: user.email, email_verified: false
    })
    t.strictSame(Object.keys(claims ?? {}).sort(), ['aud', 'client_id', 'email', 'email_verified', 'exp', 'iat', 'iss', 'jti', 'role', 'sid', 'sub', 'ver'])
    t.equal(Number(claims?.exp) - Number(claims?.iat), 600)
    t.equal(Buffer.from(String(claims?.jti), 'base64url').length, 32)
  })

  t.test('finds the account however its address is written', async t => {
    const { email, user } = await service.person()
    for (const written of [email.toUpperCase(), `  ${email}\t`, email.replace('ada', 'ａｄａ')]) {
      const { status, body } = await service.call<LoginBody>('POST /auth/login', { json: { email: written, password: PASSWORD } })
      t.equal(status, 200, JSON.stringify(written))
      t.equal(body.user.id, user.id)
    }
  })

  t.test('gives valid tokens, however often a user logs in', async t => {
    const person = await service.person()
    const statuses: number[] = []
    for (let n = 0; n < 140; n++) {
      const { accessToken } = await service.logIn(person)
      statuses.push((await service.call('GET /auth/verify', { token: accessToken })).status)
    }
    t.strictSame(statuses, Array(140).fill(200))
    const [live] = await service.sql<{ count: number }>('SELECT count(*)::int AS count FROM sessions WHERE user_id = $1::uuid AND ended_at IS NULL', person.user.id)
    t.equal(live?.count, 100, 'the oldest sessions have ended')
  })

  t.test('takes the password exactly as it is sent', async t => {
    const { email } = await service.person()
    for (const password of [`${PASSWORD} `, ` ${PASSWORD}`, PASSWORD.toUpperCase(), PASSWORD.replace('o', 'ｏ'), `${PASSWORD}\0`]) {
      t.equal((await service.call('POST /auth/login', { json: { email, password } })).status, 401, JSON.stringify(password))
    }
  })

  t.test('answers an unknown account as it answers a wrong password', async t => {
    const { email } = await service.person()
    const known = await service.call('POST /auth/login', { json: { email, password: 'not the password' } })
    const unknown = await service.call('POST /auth/login', { json: { email: 'nobody@example.com', password: 'not the password' } })
    const { date: _, ...headers } = known.headers
    const { date: __, ...otherHeaders } = unknown.headers
    t.equal(known.status, 401)
    t.equal(unknown.status, known.status)
    t.equal(unknown.text, known.text)
    t.strictSame(otherHeaders, headers)
    t.match(known.body, { code: 'invalid_credentials' })
    t.equal(headers['www-authenticate'], 'Bearer')
  })

  t.test('answers a disabled account, and one without a password, as it answers an unknown one', async t => {
    const unknown = await service.call('POST /auth/login', { json: { email: 'nobody@example.com', password: PASSWORD } })
    for (const change of ['disabled_at = now()', 'password_hash = NULL', "password_hash = 'not a hash'", "password_hash = ''"]) {
      const { email, user } = await service.person()
      await service.sql(`UPDATE users SET ${change} WHERE id = $1::uuid`, user.id)
      const answer = await service.call('POST /auth/login', { json: { email, password: PASSWORD } })
      t.equal(answer.status, 401, change)
      t.equal(answer.text, unknown.text, change)
      t.strictSame(Object.keys(answer.headers), Object.keys(unknown.headers), change)
    }
  })

  t.test('opens no session for an account that was disabled while its password was hashed', async t => {
    const { email, user } = await service.person()
    const held = service.hold('sessions.open')
    const login = service.call('POST /auth/login', { json: { email, password: PASSWORD } })
    await held.reached
    await service.sql('UPDATE users SET disabled_at = now() WHERE id = $1::uuid', user.id)
    held.release()
    t.match(await login, { status: 401, body: { code: 'invalid_credentials' } })
    t.strictSame(await sessionsOf(user.id), [{ count: 1 }], 'only that of registering')
  })

  t.test('opens no session for an account whose password was changed while it was hashed', async t => {
    const { email, user } = await service.person()
    const held = service.hold('sessions.open')
    const login = service.call('POST /auth/login', { json: { email, password: PASSWORD } })
    await held.reached
    await service.sql("UPDATE users SET password_hash = password_hash || 'x' WHERE id = $1::uuid", user.id)
    held.release()
    t.match(await login, { status: 401, body: { code: 'invalid_credentials' } })
    t.strictSame(await sessionsOf(user.id), [{ count: 1 }])
  })

  t.test('opens no session for an account that was deleted while its password was hashed', async t => {
    const { email, user } = await service.person()
    const held = service.hold('sessions.open')
    const login = service.call('POST /auth/login', { json: { email, password: PASSWORD } })
    await held.reached
    await service.sql('DELETE FROM users WHERE id = $1::uuid', user.id)
    held.release()
    t.match(await login, { status: 401, body: { code: 'invalid_credentials' } })
  })

  t.test('stores the address and the user agent', async t => {
    const { email, user } = await service.person()
    await service.call('POST /auth/login', { json: { email, password: PASSWORD }, from: '192.0.2.44', headers: { 'user-agent': 'A phone', 'x-forwarded-for': '203.0.113.9' } })
    const rows = await service.sql('SELECT ip, user_agent, channel::text, generation, octet_length(nonce) AS nonce FROM sessions WHERE user_id = $1::uuid ORDER BY created_at DESC LIMIT 1', user.id)
    t.strictSame(rows, [{ ip: '192.0.2.44', user_agent: 'A phone', channel: 'body', generation: 0, nonce: 16 }], 'and believes no forwarded header')
  })

  t.test('writes a success and a failure into the audit trail', async t => {
    const { email, user } = await service.person()
    await service.call('POST /auth/login', { json: { email, password: 'not the password' }, from: '192.0.2.45' })
    await service.call('POST /auth/login', { json: { email, password: PASSWORD }, from: '192.0.2.46' })
    await service.audited()
    const events = await service.sql<{ ip: string, outcome: string }>("SELECT ip, outcome FROM audit_events WHERE subject_id = $1::uuid AND action = 'login' AND ip LIKE '192.0.2.%' ORDER BY at", user.id)
    t.strictSame(events, [{ ip: '192.0.2.45', outcome: 'failure' }, { ip: '192.0.2.46', outcome: 'success' }])
  })

  function sessionsOf (userId: string) {
    return service.sql('SELECT count(*)::int AS count FROM sessions WHERE user_id = $1::uuid', userId)
  }
})
