import t from 'tap'
import { altered } from '../support/altered.ts'
import { createTokenWriter } from '../support/hostile-tokens.ts'
import { basic, claimsOf, clientToken, introspect, post, registerClient } from '../support/oauth.ts'
import { startService, type LoginBody } from '../support/service.ts'

t.test('revocation (RFC 7009)', async t => {
  const service = await startService(t)
  const client = await registerClient(service)
  const cart = await registerClient(service, { audience: 'cart' })
  const powerless = await registerClient(service, { scopes: ['introspect'] })
  const revoke = (token: string, by = client) => post(service, '/oauth/revoke', { token }, by)
  const isAlive = async ({ accessToken, refreshToken }: LoginBody) => [
    (await service.call('GET /auth/verify', { token: accessToken })).status,
    (await service.call('POST /auth/refresh', { json: { refreshToken } })).status
  ]

  t.test('an access token ends its session, at once', async t => {
    const person = await service.person()
    const answer = await revoke(person.accessToken)
    t.strictSame([answer.status, answer.text], [200, ''])
    t.strictSame(await isAlive(person), [401, 401])
  })

  t.test('so does a refresh token, whatever the hint says', async t => {
    const person = await service.person()
    t.equal((await post(service, '/oauth/revoke', { token: person.refreshToken, token_type_hint: 'access_token' }, client)).status, 200)
    t.strictSame(await isAlive(person), [401, 401])
  })

  t.test('so does a token for the audience of a client', async t => {
    const { email, password } = await service.person()
    const { body } = await service.call<LoginBody>('POST /auth/login', { json: { email, password, audience: 'cart' } })
    t.equal((await revoke(body.accessToken, cart)).status, 200)
    t.equal((await introspect(service, body.accessToken, cart)).active, false)
    t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: body.refreshToken } })).status, 401)
  })

  t.test('the audit trail records which client revoked it', async t => {
    const person = await service.person()
    const { sid } = claimsOf(person.accessToken)
    await revoke(person.accessToken)
    const events = await service.sql<{ action: string, detail: { clientId: string } | null }>('SELECT action, detail FROM audit_events WHERE session_id = $1::uuid ORDER BY at, id', sid)
    t.strictSame(events.map(({ action }) => action).filter(action => action !== 'register' && action !== 'login').sort(), ['client_revocation', 'session_end'])
    t.equal(events.find(({ action }) => action === 'client_revocation')?.detail?.clientId, client.id)
  })

  t.test('and records it once, however often the token is sent', async t => {
    const person = await service.person()
    for (let times = 0; times < 3; times++) t.equal((await revoke(person.accessToken)).status, 200)
    t.equal((await revoke(person.refreshToken)).status, 200)
    t.equal((await service.sql("SELECT 1 FROM audit_events WHERE action = 'client_revocation' AND session_id = $1::uuid", claimsOf(person.accessToken).sid)).length, 1)
  })

  t.test('and records that a client revoked tokens of its own', async t => {
    const token = await clientToken(service, powerless)
    await revoke(token, powerless)
    await service.audited()
    const events = await service.sql<{ detail: unknown }>("SELECT detail FROM audit_events WHERE action = 'client_revocation' AND session_id IS NULL")
    t.strictSame(events, [{ detail: { clientId: powerless.id } }])
  })

  t.test('a token signed with JWT_SECRET alone is counted as forged', async t => {
    const { issuer, audience, jwtSecrets: [secret = ''] } = service.config
    const forged = async () => Number(/reason="forged"\} (\d+)/.exec((await service.call('GET /metrics')).text)?.[1] ?? 0)
    const before = await forged()
    const answer = await revoke(createTokenWriter({ secret, issuer, audience }).good(Date.now() / 1000))
    t.strictSame([answer.status, answer.text], [200, ''])
    t.equal(await forged(), before + 1)
  })

  t.test('an unknown token is answered like a revoked one', async t => {
    const { accessToken, refreshToken } = await service.person()
    await revoke(accessToken)
    for (const token of [accessToken, refreshToken, 'x', '..', 'ñ', altered(accessToken), altered(refreshToken), 'a'.repeat(5000), `e30.${Buffer.from('{"aud":"a\\u0000"}').toString('base64url')}.x`, `e30.${Buffer.from('{"aud":"nowhere"}').toString('base64url')}.x`]) {
      const answer = await revoke(token)
      t.strictSame([answer.status, answer.text], [200, ''], token.slice(0, 20))
    }
  })

  t.test('revoking users\' tokens requires the scope, and without it they stay valid', async t => {
    const person = await service.person()
    for (const token of [person.accessToken, person.refreshToken]) {
      const { status, body, headers } = await revoke(token, powerless)
      t.strictSame([status, body.error, headers['www-authenticate']], [403, 'insufficient_scope', 'Bearer error="insufficient_scope", scope="sessions:revoke"'])
    }
    t.strictSame(await isAlive(person), [200, 200])
  })

  t.test('a client can revoke its own tokens, and no other client\'s', async t => {
    const [first, second] = [await clientToken(service, powerless), await clientToken(service, powerless)]
    const stranger = await revoke(first)
    t.strictSame([stranger.status, stranger.body.error], [400, 'unauthorized_client'])
    t.equal((await revoke(first, powerless)).status, 200)
    t.equal((await introspect(service, first, client)).active, false)
    t.equal((await post(service, '/oauth/introspect', { token: second }, { token: first })).status, 401, 'it opens nothing any more')
    t.equal((await introspect(service, second, client)).active, true, 'the other goes on')
    t.equal((await post(service, '/oauth/revoke', { token: second }, { token: second })).status, 200, 'a token may take itself back')
    t.equal((await introspect(service, second, client)).active, false)
  })

  t.test('including those for another audience', async t => {
    const token = await clientToken(service, powerless, { audience: 'cart' })
    t.equal((await revoke(token, powerless)).status, 200)
    t.equal((await introspect(service, token, cart)).active, false)
  })

  t.test('invalid requests are refused', async t => {
    for (const [name, text, type = 'application/x-www-form-urlencoded'] of [['nothing', ''], ['an empty token', 'token='], ['two tokens', 'token=a&token=b'], ['JSON', '{"token":"x"}', 'application/json']] as const) {
      const { status, body } = await service.call<{ error: string }>('POST /oauth/revoke', { text, headers: { 'content-type': type, authorization: basic(client) } })
      t.strictSame([status, body.error], [400, 'invalid_request'], name)
    }
  })

  t.test('a revocation that could not be stored is answered with 503', async t => {
    const { accessToken } = await service.person()
    const held = service.hold('sessions.revoke')
    const answering = revoke(accessToken)
    await held.reached
    await service.database.close()
    held.release()
    const { status, body, headers } = await answering
    t.strictSame([status, body.error, headers['retry-after']], [503, 'temporarily_unavailable', '2'])
  })
})
