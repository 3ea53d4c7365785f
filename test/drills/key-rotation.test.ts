import { generateKeyPairSync } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import jwt from 'jsonwebtoken'
import t from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { onPostgres, testDatabase } from '../support/database.ts'
import { startInstances, type Instance } from '../support/instances.ts'
import { claimsOf, headerOf } from '../support/oauth.ts'
import { PASSWORD, type LoginBody, type Settings } from '../support/service.ts'
import { until } from '../support/until.ts'

const SHARED = { COUNTERSIGN_SECRET: generateSecret(), JWT_ISSUER: 'https://auth.example.com' }
const [oldSecret, newSecret] = [generateSecret(), generateSecret()]
const [oldKey, newKey] = ['ed25519', 'ed25519'].map(() => generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())
const RINGS: Record<string, (ring: string) => Settings> = {
  HS256: ring => ({ JWT_SECRET: ring }),
  EdDSA: ring => ({ JWT_SECRET: '', JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY: ring })
}

// Milliseconds.
const BETWEEN_ROUNDS = 50
// Which every driver makes after each change.
const ROUNDS = Number(process.env.ROTATION_ROUNDS ?? 1)

/** The tokens that are alive, as far as their holders can tell, and what became of them. */
interface Traffic {
  accepted: number
  refused: string[]
  forgedAccepted: number
  forgedRefused: number
  readonly kids: Set<unknown>
  /** How many rounds each driver has made. */
  readonly rounds: number[]
}

/** Two people a round, each at another instance than the one that minted their token; and a forgery of each token. */
async function drive (driver: number, instances: Map<number, Instance>, traffic: Traffic, isOver: () => boolean): Promise<void> {
  let held: LoginBody | undefined
  for (let round = 0; !isOver(); round++) {
    traffic.rounds[driver] = round
    await pause(BETWEEN_ROUNDS)
    for (const [at, instance] of instances) {
      const peers = [...instances.values()]
      const answer = held === undefined
        ? await instance.call<LoginBody>('POST /auth/register', { json: { email: `ada-${crypto.randomUUID()}@example.com`, password: PASSWORD } })
        : await instance.call<LoginBody>('POST /auth/refresh', { json: { refreshToken: held.refreshToken } })
      if (answer.status !== 201 && answer.status !== 200) {
        traffic.refused.push(`refresh at ${at}: ${answer.status}`)
        held = undefined
        continue
      }
      held = answer.body
      const { accessToken } = held
      traffic.kids.add(headerOf(accessToken).kid)
      for (const peer of peers) {
        const { status } = await peer.call('GET /auth/verify', { token: accessToken })
        if (status === 200) traffic.accepted++
        else traffic.refused.push(`verify: ${status}`)
        const forged = jwt.sign({ ...claimsOf(accessToken), role: 'admin' }, generateSecret(), { algorithm: 'HS256', header: { ...headerOf(accessToken), alg: 'HS256' } })
        if ((await peer.call('GET /auth/verify', { token: forged })).status === 401) traffic.forgedRefused++
        else traffic.forgedAccepted++
      }
    }
  }
}

for (const [algorithm, settingsOf] of Object.entries(RINGS)) {
  t.test(`${algorithm} keys change under load, and no good token is refused`, { ...onPostgres, timeout: 180_000 }, async t => {
    const [from, to] = algorithm === 'HS256' ? [oldSecret, newSecret] : [oldKey ?? '', newKey ?? '']
    const { url = '', dataDir } = await testDatabase(t)
    const serving = new Map<number, Instance>()
    const traffic: Traffic = { accepted: 0, refused: [], forgedAccepted: 0, forgedRefused: 0, kids: new Set(), rounds: [] }

    // New processes take over the places of the old ones one after the other, as any rolling deployment has it: for a
    // while the two stages stand side by side.
    async function deploy (ring: string): Promise<void> {
      const settings = { ...SHARED, DATABASE_URL: url, DATA_DIR: dataDir, ...settingsOf(ring) }
      const retired = [...serving.values()]
      const { instances } = await startInstances(t, settings, settings)
      for (const [place, instance] of instances.entries()) {
        serving.set(place, instance)
        await wholeRounds()
      }
      // Every driver has turned to the new ones: nothing is under way at the old.
      await Promise.all(retired.map(instance => instance.kill()))
    }

    async function wholeRounds (): Promise<void> {
      const before = [...traffic.rounds]
      await until(() => before.every((round, driver) => (traffic.rounds[driver] ?? 0) >= round + ROUNDS), 60_000)
    }

    let isOver = false
    t.teardown(() => { isOver = true })
    await deploy(from)
    const driving = [0, 1].map(driver => drive(driver, serving, traffic, () => isOver))
    await deploy(`${from},${to}`)
    await deploy(`${to},${from}`)
    await deploy(to)
    isOver = true
    await Promise.all(driving)

    t.strictSame(traffic.refused, [], 'no good token was refused')
    t.equal(traffic.forgedAccepted, 0, 'and no bad one accepted')
    t.ok(traffic.accepted > 30 && traffic.forgedRefused > 30, `${traffic.accepted} good, ${traffic.forgedRefused} bad`)
    t.equal(traffic.kids.size, 2, 'both keys signed')
    t.comment(`${algorithm}: ${traffic.accepted} good tokens accepted, ${traffic.forgedRefused} forged refused`)
  })
}
