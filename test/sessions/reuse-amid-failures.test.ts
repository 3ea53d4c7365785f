import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { onPostgres, onServer, testDatabase } from '../support/database.ts'
import { startService } from '../support/service.ts'
import { REPEAT_WINDOW } from '../../src/sessions/refresh-token.ts'
import { rowOf, sessionIdOf } from './session-rows.ts'

t.test('requests that wait for a lock in vain keep no reuse from being seen', { ...onPostgres, timeout: 120_000 }, async t => {
  const { url = '', dataDir } = await testDatabase(t)
  const service = await startService(t, { DATABASE_URL: url, DATA_DIR: dataDir })
  const [victim, accomplice] = [await service.person(), await service.person()]
  const refresh = async (refreshToken: string) => service.call<{ code?: string }>('POST /auth/refresh', { json: { refreshToken } })

  await onServer(url, async holder => {
    await holder.query('BEGIN')
    await holder.query('SELECT FROM sessions WHERE id = $1 FOR UPDATE', [sessionIdOf(accomplice)])
    t.equal((await refresh(accomplice.refreshToken)).status, 503, 'a lock that is not had in time')
    t.equal((await refresh(victim.refreshToken)).status, 200)
    const rotatedAt = performance.now()
    while (performance.now() - rotatedAt < (REPEAT_WINDOW + 1) * 1000) {
      t.equal((await refresh(accomplice.refreshToken)).status, 503)
      await pause(4_000)
    }
    await holder.query('ROLLBACK')
  })

  t.match(await refresh(victim.refreshToken), { status: 401, body: { code: 'refresh_token_reused' } }, 'the window of a repeat is over')
  t.match(await rowOf(service, victim), { endedReason: 'reused' })
})
