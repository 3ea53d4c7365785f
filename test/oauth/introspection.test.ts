import jwt from 'jsonwebtoken'
import t from 'tap'
import { createSeal } from '../../src/tokens/seal.ts'
import { deriveKeyRing } from '../../src/tokens/derived-keys.ts'
import { hostileTokens, oddTokens, SUBJECT } from '../support/hostile-tokens.ts'
import { basic, claimsOf, clientToken, headerOf, introspect, post, registerClient, registryOf } from '../support/oauth.ts'
import { present } from '../support/presence.ts'
import { startService, type LoginBody, type TestService } from '../support/service.ts'

const REFUSED = /^countersign_tokens_refused_total\{reason="forged"\} (\d+)$/m

/** Logs somebody new in, with a token for an audience. */
async function loginFor (service: TestService, audience: string): Promise<LoginBody> {
  const { email, password } = await service.person()
  const { status, body } = await service.call<LoginBody>('POST /auth/login', { json: { email, password, audience } })
  if (status !== 200) throw new Error(`Logging in was answered ${status}`)
  return body
}

t.test('introspection', async t => {
  const service = await startService(t)
  const { config: { issuer, audience, secrets, jwtSecrets: [shared = ''] } } = service
  const seal = createSeal(deriveKeyRing(secrets, 'seal').map(({ bytes }) => bytes))
  const plain = await registerClient(service)
  const cart = await registerClient(service, { audience: 'cart' })
  const depot = await registerClient(service, { audience: 'depot' })
  const isActive = async (token: string, by = plain) => (await introspect(service, token, by)).active

  t.test('returns the content of a user\'s token (RFC 7662 §2.2)', async t => {
    const { accessToken, user } = await service.person()
    const answer = await post(service, '/oauth/introspect', { token: accessToken, token_type_hint: 'access_token' }, plain)
    t.match(answer.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store' })
    t.strictSame(answer.body, { active: true, token_type: 'Bearer', ...claimsOf(accessToken) })
    t.match(answer.body, { iss: issuer, aud: audience, sub: user.id, client_id: 'countersign', role: 'user', email: user.email, email_verified: false })
    t.notOk('username' in answer.body, 'an address that is not verified is no name')
    await service.sql('UPDATE users SET email_verified = true WHERE id = $1::uuid', user.id)
    t.equal((await introspect(service, (await service.logIn({ email: user.email, password: 'correct horse battery' })).accessToken, plain)).username, user.email)
  })

  t.test('returns the content of a client\'s token', async t => {
    const token = await clientToken(service, depot, { scope: 'introspect' })
    t.strictSame(await introspect(service, token, plain), { active: true, token_type: 'Bearer', ...claimsOf(token) })
    t.match(claimsOf(token), { sub: depot.id, client_id: depot.id, scope: 'introspect' })
  })

  t.test('reports tokens for any other audience than the client\'s as inactive', async t => {
    const tokens = { api: (await service.person()).accessToken, cart: (await loginFor(service, 'cart')).accessToken, depot: (await loginFor(service, 'depot')).accessToken }
    for (const [client, own] of [[plain, 'api'], [cart, 'cart'], [depot, 'depot']] as const) {
      for (const [name, token] of Object.entries(tokens)) {
        const body = await introspect(service, token, client)
        if (name === own) t.match(body, { active: true, aud: own })
        else t.strictSame(body, { active: false }, `${name} at ${own}`)
      }
    }
  })

  t.test('reports a revoked token as inactive at once', async t => {
    const [leaver, disabled] = [await loginFor(service, 'cart'), await loginFor(service, 'cart')]
    const admin = await service.admin()
    t.strictSame([await isActive(leaver.accessToken, cart), await isActive(disabled.accessToken, cart)], [true, true])
    t.equal((await service.call('POST /auth/logout', { json: { refreshToken: leaver.refreshToken } })).status, 204)
    t.equal((await service.call(`PATCH /admin/users/${disabled.user.id}`, present(admin, { disabled: true }))).status, 200)
    t.strictSame([await introspect(service, leaver.accessToken, cart), await introspect(service, disabled.accessToken, cart)], [{ active: false }, { active: false }])
  })

  t.test('reports nothing as active that the service refuses, whatever signed it, and counts forged tokens', async t => {
    const forgedSoFar = async () => Number(REFUSED.exec((await service.call('GET /metrics')).text)?.[1])
    const hostile = hostileTokens({ secret: shared, issuer, audience, seal: seal.create })
    const before = await forgedSoFar()
    for (const { name, write } of hostile) {
      const token = write(Date.now() / 1000)
      if (token === '' || token.length > 10_000) continue
      t.strictSame(await introspect(service, token, plain), { active: false }, name)
    }
    t.equal(await forgedSoFar(), before + hostile.filter(({ reason }) => reason === 'forged').length)
    for (const { name, write } of oddTokens({ secret: shared, issuer, audience, seal: seal.create })) {
      t.match(await introspect(service, write(Date.now() / 1000), plain), { active: true, sub: SUBJECT.sub }, name)
    }
  })

  t.test('reports nothing as active that was signed with JWT_SECRET or an audience\'s key alone', async t => {
    const real = (await loginFor(service, 'cart')).accessToken
    const clientsOwn = await clientToken(service, plain, { audience: 'cart' })
    for (const [token, key, by] of [[(await service.person()).accessToken, shared, plain], [real, cart.key, cart], [clientsOwn, cart.key, cart]] as const) {
      const resign = (changes: object) => jwt.sign({ ...claimsOf(token), ...changes }, key, { algorithm: 'HS256', header: headerOf(token) as unknown as jwt.JwtHeader })
      t.equal(resign({}), token, 'with nothing changed it is the good token')
      t.equal(await isActive(resign({}), by), true)
      for (const changes of [{ role: 'admin' }, { sub: depot.id, client_id: depot.id }, { exp: Number(claimsOf(token).exp) + 60 }, { scope: 'everything' }, { jti: 'x'.repeat(43) }, { aud: 'depot' }]) {
        t.equal(await isActive(resign(changes), by), false, JSON.stringify(changes))
        t.equal(await isActive(resign(changes), depot), false)
      }
    }
  })

  t.test('reports refresh tokens and garbage as inactive', async t => {
    const { refreshToken } = await service.person()
    for (const token of [refreshToken, 'x', '..', 'ñandú', plain.secret, `client_${'0'.repeat(24)}`]) t.strictSame(await introspect(service, token, plain), { active: false })
  })

  t.test('requires the scope, and a token', async t => {
    const none = await registerClient(service, { scopes: ['revocations:read'] })
    const { accessToken: token } = await service.person()
    const refused = await post(service, '/oauth/introspect', { token }, none)
    t.strictSame([refused.status, refused.body.error], [403, 'insufficient_scope'])
    const bad: Array<[name: string, text: string, type?: string]> = [
      ['nothing', ''], ['an empty token', 'token='], ['a token twice', `token=${token}&token=${token}`], ['a token beside a query', 'x=y'], ['JSON', JSON.stringify({ token }), 'application/json']
    ]
    for (const [name, text, type = 'application/x-www-form-urlencoded'] of bad) {
      const { status, body } = await service.call<{ error: string }>(`POST /oauth/introspect?token=${token}`, { text, headers: { 'content-type': type, authorization: basic(plain) } })
      t.strictSame([status, body.error], [400, 'invalid_request'], name)
    }
  })

  t.test('accepts the previous key of an audience, but not the one before', async t => {
    const registry = registryOf(service)
    const first = (await loginFor(service, 'cart')).accessToken
    await registry.promoteKey(cart.id)
    const second = (await loginFor(service, 'cart')).accessToken
    t.not(headerOf(second).kid, headerOf(first).kid)
    t.strictSame([await isActive(first, cart), await isActive(second, cart)], [true, true])
    await registry.promoteKey(cart.id)
    t.strictSame([await isActive(first, cart), await isActive(second, cart)], [false, true])
  })
})
