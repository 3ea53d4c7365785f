import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { onPostgres, onServer } from '../support/database.ts'
import { startInstances, type Instance } from '../support/instances.ts'
import type { LoginBody } from '../support/service.ts'
import { refreshTokenOf, sessionIdOf } from '../sessions/session-rows.ts'

/** How many refreshes are under way when the process is killed, over all kills. */
const REFRESHES = Number(process.env.KILLED_REFRESHES ?? 40)
const CLIENTS = 10
const KEY = randomBytes(16).toString('base64url')

t.test(`a process killed amid ${REFRESHES} refreshes ends no session`, { ...onPostgres, timeout: 1_800_000 }, async t => {
  const { instances, databaseUrl } = await startInstances(t, {}, {})
  const [killed, survivor] = instances
  const refresh = (instance: Instance, refreshToken: string, key: string) =>
    instance.call<LoginBody>('POST /auth/refresh', { json: { refreshToken }, headers: { 'idempotency-key': key } }).catch(() => undefined)
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => survivor.person().then(({ refreshToken }) => ({ refreshToken }))))
  const spare = await survivor.person()
  const counts = { answered: 0, stored: 0, untouched: 0 }
  const lost: string[] = []

  for (let done = 0; done < REFRESHES; done += CLIENTS) {
    // The first requests of a process are its slowest.
    for (let turn = 0; turn < 5; turn++) spare.refreshToken = (await refresh(killed, spare.refreshToken, KEY))?.body.refreshToken ?? spare.refreshToken
    const dying = pause(Math.random() * 80).then(killed.kill)
    const underWay = clients.map(async (client, index) => {
      const key = randomBytes(16).toString('base64url')
      await pause(index * 2)
      return { client, key, answer: await refresh(killed, client.refreshToken, key) }
    })
    const outcomes = await Promise.all(underWay)
    await dying
    // Every second time the clients repeat the request only a minute later, with the key they stored.
    if (done % (2 * CLIENTS) === 0) await onServer(databaseUrl, server => server.query("UPDATE sessions SET rotated_at = rotated_at - interval '1 minute'"))
    for (const { client, key, answer } of outcomes) {
      const before = await onServer(databaseUrl, server => server.query<{ generation: number }>('SELECT generation FROM sessions WHERE id = $1', [sessionIdOf(client)]))
      const isStored = before.rows[0]?.generation === refreshTokenOf(client).generation + 1
      counts[answer !== undefined ? 'answered' : isStored ? 'stored' : 'untouched']++
      const next = answer?.body ?? client
      const again = await refresh(survivor, next.refreshToken, answer === undefined ? key : randomBytes(16).toString('base64url'))
      if (again?.status !== 200) lost.push(`${again?.status} ${JSON.stringify(again?.body)} after ${answer?.status ?? 'no answer'}`)
      else client.refreshToken = again.body.refreshToken
    }
    await killed.restart()
  }
  t.comment(JSON.stringify(counts))
  t.strictSame(lost, [])
  t.ok(counts.answered + counts.stored + counts.untouched >= REFRESHES)
})
