import { randomBytes } from 'node:crypto'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { deriveKeyRing } from '../../src/tokens/derived-keys.ts'
import { createRefreshTokens } from '../../src/sessions/refresh-token.ts'
import { startService } from '../support/service.ts'
import { sessionIdOf } from './session-rows.ts'

t.test('whoever logs out of a session that a failover has lost is logged out', async t => {
  const service = await startService(t)
  const person = await service.person()
  const [byToken, byRefreshToken] = [await service.logIn(person), await service.logIn(person)]
  await service.sql('DELETE FROM sessions')
  const rows = () => service.sql<{ kind: string, subject: string }>('SELECT kind::text AS kind, subject FROM revocations ORDER BY id')

  t.equal((await service.call('GET /auth/verify', { token: byToken.accessToken })).status, 200, 'its access token goes on')
  for (let i = 0; i < 3; i++) {
    t.equal((await service.call('POST /auth/logout', { token: byToken.accessToken })).status, 204)
    t.equal((await service.call('POST /auth/logout', { json: { refreshToken: byRefreshToken.refreshToken } })).status, 204)
  }
  for (const { accessToken } of [byToken, byRefreshToken]) t.equal((await service.call('GET /auth/verify', { token: accessToken })).status, 401)
  t.strictSame(await rows(), [byToken, byRefreshToken].map(login => ({ kind: 'session', subject: sessionIdOf(login) })), 'however often it is asked')
})

t.test('of one that was opened longer ago than a token lives nothing is written, however often it is asked', async t => {
  const service = await startService(t)
  const person = await service.person()
  await service.sql('DELETE FROM sessions')
  const old = uuidv7({ msecs: Date.now() - 2 * 3_600_000 })
  const refreshTokens = createRefreshTokens(deriveKeyRing(service.config.secrets, 'refresh'))
  const refreshToken = refreshTokens.write({ sessionId: old, generation: 0, nonce: randomBytes(16) })
  for (let i = 0; i < 2; i++) t.equal((await service.call('POST /auth/logout', { json: { refreshToken } })).status, 204)
  t.strictSame(await service.sql('SELECT subject FROM revocations WHERE user_id IS NULL'), [])
  t.equal((await service.call('POST /auth/logout', { token: person.accessToken })).status, 204)
  t.strictSame(await service.sql('SELECT subject FROM revocations WHERE user_id IS NULL'), [{ subject: sessionIdOf(person) }])
})

t.test('a refresh token of no session asks the database once', async t => {
  const service = await startService(t)
  const person = await service.person()
  await service.sql('DELETE FROM sessions')
  const statements: string[] = []
  const { query } = service.database
  t.teardown(() => { service.database.query = query })
  service.database.query = (statement, values) => {
    statements.push(statement.name)
    return query(statement, values)
  }
  for (let i = 0; i < 3; i++) t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken } })).status, 401)
  t.strictSame(statements.filter(name => name.startsWith('sessions.')), ['sessions.rotate', 'sessions.count-refresh', 'sessions.find-for-refresh'])
})
