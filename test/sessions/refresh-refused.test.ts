import { createHmac, randomBytes } from 'node:crypto'
import t from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { createRefreshTokens } from '../../src/sessions/refresh-token.ts'
import { deriveKeyRing } from '../../src/tokens/derived-keys.ts'
import { startService, type Answer, type Call, type LoginBody, type TestService } from '../support/service.ts'
import { testDatabase } from '../support/database.ts'
import { watchStatements } from '../support/statements.ts'
import { refreshTokenOf, rowOf, sessionIdOf } from './session-rows.ts'

const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' }
const refusal = { status: 401, body: { type: 'urn:countersign:problem:invalid_refresh_token', code: 'invalid_refresh_token' } }

function refreshOn (service: TestService) {
  return (refreshToken: string, call: Call = {}) => service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken }, ...call })
}

t.test('an invalid refresh token', async t => {
  const service = await startService(t)
  const refresh = refreshOn(service)
  const ring = deriveKeyRing(service.config.secrets, 'refresh')
  const tokens = createRefreshTokens(ring)
  const statements = watchStatements(service)

  t.test('is refused before any query, and nothing is written', async t => {
    const [person, other] = [await service.person(), await service.person()]
    const { sessionId, nonce } = refreshTokenOf(person)
    const mac = person.refreshToken.split('.')[3] ?? ''
    const foreign = createRefreshTokens(deriveKeyRing([generateSecret()], 'refresh'))
    const flipped = `${mac.slice(0, -1)}${String.fromCharCode(mac.charCodeAt(42) + 1)}`
    const before = await rowOf(service, person)
    for (const [what, token] of Object.entries({
      empty: '',
      malformed: 'not a token',
      dots: '...',
      'with a part more': `${person.refreshToken}.x`,
      truncated: person.refreshToken.slice(0, -1),
      'truncated by a part': person.refreshToken.split('.').slice(0, 3).join('.'),
      'with white space': `${person.refreshToken} `,
      'in capitals': person.refreshToken.toUpperCase(),
      'with unused bits set': person.refreshToken.replace(mac, flipped),
      'of a guessed generation': `${sessionId}.1.${nonce}.${mac}`,
      'of a padded generation': `${sessionId}.00.${nonce}.${mac}`,
      'of a huge generation': `${sessionId}.99999999999.${nonce}.${mac}`,
      'of a guessed nonce': `${sessionId}.0.${randomBytes(16).toString('base64url')}.${mac}`,
      'of another session': `${sessionIdOf(other)}.0.${nonce}.${mac}`,
      'under a key of another service': foreign.write({ sessionId, generation: 0, nonce: Buffer.from(nonce, 'base64url') }),
      'under the shared secret': `${sessionId}.0.${nonce}.${createHmac('sha256', service.config.jwtSecrets[0] ?? '').update(`${sessionId}.0.${nonce}`).digest('base64url')}`,
      'an access token': person.accessToken,
      'in SQL': "' OR 1=1 --",
      long: 'x'.repeat(4096)
    })) {
      statements.length = 0
      t.match(await refresh(token), refusal, what)
      t.strictSame(statements, [], `${what}: no statement`)
    }
    t.strictSame(await rowOf(service, person), before)
    t.equal((await refresh(person.refreshToken)).status, 200, 'the session goes on')
  })

  t.test('signed with the right key changes nothing either', async t => {
    const person = await service.person()
    const { sessionId, nonce } = refreshTokenOf(person)
    const genuine = Buffer.from(nonce, 'base64url')
    const before = await rowOf(service, person)
    for (const content of [
      { sessionId, generation: 0, nonce: randomBytes(16) },
      { sessionId, generation: 7, nonce: randomBytes(16) },
      { sessionId: '01890a5d-ac96-774b-bcce-b302099a8057', generation: 0, nonce: genuine }
    ]) t.match(await refresh(tokens.write(content)), refusal)
    t.strictSame(await rowOf(service, person), before, 'the key alone writes and ends nothing')
    // Up to two ahead, with the nonce of the row, is one that a failover lost. A third only counts.
    t.match(await refresh(tokens.write({ sessionId, generation: 3, nonce: genuine })), refusal)
    t.match(await rowOf(service, person), { generation: 0, endedReason: null })
  })

  t.test('with a number out of range is refused, and is no server error', async t => {
    const { sessionId, nonce } = refreshTokenOf(await service.person())
    t.match(await refresh(tokens.write({ sessionId, generation: 999_999_999, nonce: Buffer.from(nonce, 'base64url') })), refusal)
  })

  t.test('is missing, or of the wrong type', async t => {
    t.match(await service.call('POST /auth/refresh', { json: {} }), refusal)
    t.match(await service.call('POST /auth/refresh'), refusal)
    t.match(await service.call('POST /auth/refresh', { json: { refreshToken: 7 } }), { status: 422 })
    t.match(await service.call('POST /auth/refresh', { json: { refreshToken: 'x'.repeat(4097) } }), { status: 422 })
    t.match(await service.call('POST /auth/refresh', { json: { refreshToken: 'x', more: 1 } }), { status: 422 })
  })

  t.test('sent on another channel than that of its session', async t => {
    const person = await service.person()
    const cookies = await service.cookiesOf(person)
    const fromCookie = cookies.refresh ?? ''
    t.match(await refresh(fromCookie), refusal, 'a cookie\'s in the body')
    t.match(await service.call('POST /auth/refresh', { cookies: { refresh: person.refreshToken }, headers: SAME_ORIGIN }), refusal, 'a body\'s in the cookie')
    for (const refreshToken of [fromCookie, person.refreshToken]) t.match(await rowOf(service, { refreshToken }), { generation: 0, endedReason: null })
    const answer: Answer<LoginBody> = await service.call('POST /auth/refresh', { cookies: { refresh: fromCookie }, headers: SAME_ORIGIN })
    t.match(answer, { status: 200, cookies: { access: { value: /^ey/ }, refresh: { value: /\.1\./ } } })
    t.notOk('accessToken' in answer.body || 'refreshToken' in answer.body, 'what came by cookie goes by cookie')
    t.equal((await refresh(person.refreshToken)).status, 200)
  })

  t.test('clears no cookies when its session is over: they may be those of a newer login by then', async t => {
    const person = await service.person()
    const { refresh: cookie = '' } = await service.cookiesOf(person)
    const ask = () => service.call('POST /auth/refresh', { cookies: { refresh: cookie }, headers: SAME_ORIGIN })
    await service.sql('UPDATE sessions SET ended_at = now() WHERE id = $1::uuid', sessionIdOf({ refreshToken: cookie }))
    const { status, cookies } = await ask()
    t.strictSame([status, cookies], [401, {}])
  })

  t.test('that came twice as a cookie is none, and clears nothing', async t => {
    const { status, body, cookies } = await service.call<{ code: string }>('POST /auth/refresh', { headers: { cookie: 'refresh=a; refresh=b', 'x-countersign': '1' } })
    t.strictSame([status, body.code, cookies], [401, 'invalid_refresh_token', {}])
  })

  t.test('from another site is refused', async t => {
    const { refresh: cookie = '' } = await service.cookiesOf(await service.person())
    t.match(await service.call('POST /auth/refresh', { cookies: { refresh: cookie }, headers: { 'sec-fetch-site': 'cross-site' } }), { status: 403, body: { code: 'cross_site_request' } })
    t.match(await rowOf(service, { refreshToken: cookie }), { generation: 0 })
  })
})

t.test('a token from before a key rotation still refreshes, and gets a successor signed with the new key', async t => {
  const { url, dataDir } = await testDatabase(t)
  const [older, newer, jwt] = [generateSecret(), generateSecret(), generateSecret()]
  const settings = { ...url !== undefined && { DATABASE_URL: url }, DATA_DIR: dataDir, JWT_SECRET: jwt }
  const before = await startService(t, { ...settings, COUNTERSIGN_SECRET: older })
  const person = await before.person()
  await before.app.close()

  const after = await startService(t, { ...settings, COUNTERSIGN_SECRET: `${newer},${older}` })
  const { status, body } = await refreshOn(after)(person.refreshToken)
  t.equal(status, 200)
  t.equal((await refreshOn(after)(person.refreshToken)).body.refreshToken, body.refreshToken)
  await after.app.close()

  const dropped = await startService(t, { ...settings, COUNTERSIGN_SECRET: newer })
  t.match(await refreshOn(dropped)(person.refreshToken), refusal)
  t.equal((await refreshOn(dropped)(body.refreshToken)).status, 200)
})
