import t from 'tap'
import { startService } from '../support/service.ts'
import { rowOf, sessionIdOf } from './session-rows.ts'

t.test('logging out of a session that has just been ended on another instance', async t => {
  const service = await startService(t)
  // As another instance does it, without the notification: this one would find it at its next read.
  const endElsewhere = (sessionId: string) => service.sql(`
    WITH ended AS (UPDATE sessions SET ended_at = now(), ended_reason = 'logout' WHERE id = $1::uuid RETURNING id)
    INSERT INTO revocations (kind, subject, expires_at, xid) SELECT 'session', id::text, now() + interval '1 hour', pg_current_xact_id()::text::bigint FROM ended`, sessionId)
  const verify = async (token: string) => (await service.call('GET /auth/verify', { token })).status

  for (const how of ['access token', 'refresh token'] as const) {
    const { accessToken, refreshToken } = await service.person()
    await endElsewhere(sessionIdOf({ refreshToken }))
    const { status } = await service.call('POST /auth/logout', how === 'access token' ? { token: accessToken } : { json: { refreshToken } })
    t.equal(status, how === 'access token' && status === 401 ? 401 : 204)
    t.equal(await verify(accessToken), 401, `is answered, by ${how}, only when its access token is dead here`)
  }

  t.test('two logouts at once are both answered 204, and leave one trace', async t => {
    const { accessToken, refreshToken } = await service.person()
    const answers = await Promise.all(Array.from({ length: 6 }, () => service.call('POST /auth/logout', { json: { refreshToken } })))
    t.strictSame(answers.map(({ status }) => status), Array(6).fill(204))
    t.equal(await verify(accessToken), 401)
    t.match(await rowOf(service, { refreshToken }), { endedReason: 'logout' })
    t.equal((await service.sql('SELECT 1 FROM revocations WHERE subject = $1', sessionIdOf({ refreshToken }))).length, 1)
    t.equal((await service.sql("SELECT 1 FROM audit_events WHERE session_id = $1::uuid AND action = 'logout'", sessionIdOf({ refreshToken }))).length, 1)
  })
})
