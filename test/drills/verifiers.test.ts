import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { openDatabase } from '../../src/database/open-database.ts'
import { tcpProxy } from '../database/tcp-proxy.ts'
import { registerClient } from '../support/clients.ts'
import { onPostgres, silent } from '../support/database.ts'
import { startInstances } from '../support/instances.ts'
import { until } from '../support/until.ts'
import { startVerifier } from '../oauth/revocation-feed/verifiers.ts'

const ROUNDS = Number(process.env.RACE_ROUNDS ?? 6)
const MAX_STALENESS = 2

t.test('three verifiers in processes of their own', { ...onPostgres, timeout: 120_000 + ROUNDS * 10_000 }, async t => {
  const jwtSecret = generateSecret()
  const { instances: [service], databaseUrl } = await startInstances(t, { JWT_SECRET: jwtSecret })
  const database = await openDatabase({ url: databaseUrl, dataDir: '', migrate: false, log: silent })
  const client = await registerClient(database, 'revocations:read')
  await database.close()
  const line = await tcpProxy(service.origin.replace('http:', 'postgres:'))
  t.teardown(() => line.close())
  const feed = `${line.url.replace('postgres:', 'http:').replace(/\/$/, '')}/revocations`
  const verifiers = await Promise.all(Array.from({ length: 3 }, () => startVerifier(t, { issuer: 'https://auth.example.com', jwtSecret, feed, client, maxStaleness: MAX_STALENESS })))

  const ada = await service.person()
  const everywhere = (token: string, isSo: (said: string) => boolean) => async () => (await Promise.all(verifiers.map(({ verify }) => verify(token)))).every(isSo)
  const areFresh = (token: string) => until(everywhere(token, said => said === 'good'), 20_000)
  const dead: string[] = []

  async function logOut (): Promise<{ token: string, at: number }> {
    const { accessToken: token } = await service.logIn(ada)
    const { status } = await service.call('POST /auth/logout', { token })
    if (status !== 204) throw new Error(`Logging out was answered ${status}`)
    dead.push(token)
    return { token, at: performance.now() }
  }

  t.test('refuse within a moment what was logged out at the service', async t => {
    await areFresh(ada.accessToken)
    const took: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const { token, at } = await logOut()
      await until(everywhere(token, said => said === 'revoked'), 1_000)
      took.push(performance.now() - at)
    }
    t.ok(Math.max(...took) < 1_000, `${took.map(Math.round).join()} ms`)
  })

  const mishaps = {
    'connections are cut': async () => { await line.cut(); await pause(Math.random() * 500); await line.heal() },
    'the service is restarted': async () => { await service.kill(); await service.restart() },
    'a verifier sleeps': async () => {
      verifiers[1]?.child.kill('SIGSTOP')
      await pause(MAX_STALENESS * 1_000 + 500)
      verifiers[1]?.child.kill('SIGCONT')
    }
  }

  for (const [what, happen] of Object.entries(mishaps)) {
    t.test(`lose no revocation while ${what}`, async t => {
      const late: string[] = []
      for (let round = 0; round < Math.ceil(ROUNDS / 3); round++) {
        const happening = happen()
        const ended: Array<Awaited<ReturnType<typeof logOut>>> = []
        for (let count = 0; count < 3; count++) await logOut().then(one => ended.push(one), () => pause(200))
        await happening
        for (const { token, at } of ended) {
          const left = at + MAX_STALENESS * 1_000 + 300 - performance.now()
          if (left > 0) await pause(left)
          // Past its bound a verifier that has not heard of it must at least know that it has not heard.
          for (const { verify } of verifiers) if (await verify(token) === 'good') late.push(token)
        }
        await areFresh(ada.accessToken)
      }
      t.strictSame(late, [])
      for (const token of dead) t.ok(await everywhere(token, said => said === 'revoked')())
    })
  }

  t.test('refuse everything once they are stale, and accept again when they are not', async t => {
    await areFresh(ada.accessToken)
    line.freeze()
    const took = await until(everywhere(ada.accessToken, said => said === 'stale'), 10_000)
    t.ok(took < MAX_STALENESS * 1_000 + 500, `${took.toFixed(0)} ms`)
    await line.cut()
    await line.heal()
    t.ok(await areFresh(ada.accessToken) < 20_000)
  })
})

t.test('verifiers of an instance that has lost its database', { ...onPostgres, timeout: 60_000 }, async t => {
  const jwtSecret = generateSecret()
  const wire = await tcpProxy('postgres://127.0.0.1:5432')
  t.teardown(() => wire.close())
  const { instances: [other], databaseUrl } = await startInstances(t, { JWT_SECRET: jwtSecret })
  const cutOff = new URL(databaseUrl)
  cutOff.host = new URL(wire.url).host
  const { instances: [service] } = await startInstances(t, { JWT_SECRET: jwtSecret, DATABASE_URL: cutOff.href })
  const database = await openDatabase({ url: databaseUrl, dataDir: '', migrate: false, log: silent })
  const client = await registerClient(database, 'revocations:read')
  await database.close()
  const { verify } = await startVerifier(t, { issuer: 'https://auth.example.com', jwtSecret, feed: `${service.origin}/revocations`, client, maxStaleness: 3 })
  const { accessToken } = await other.person()
  await until(async () => await verify(accessToken) === 'good', 20_000)

  await wire.cut()
  const took = await until(async () => await verify(accessToken) === 'stale', 10_000)
  t.ok(took < 3_500, `${took.toFixed(0)} ms: stale within the bound, though the connection lives`)
  await wire.heal()
  t.ok(await until(async () => await verify(accessToken) === 'good', 20_000) < 20_000, 'and fresh again with the database')
})
