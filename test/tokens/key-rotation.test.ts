import { generateKeyPairSync } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import jwt from 'jsonwebtoken'
import t from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { onPostgres, testDatabase } from '../support/database.ts'
import { startInstances, type Instance } from '../support/instances.ts'
import { claimsOf, headerOf } from '../support/oauth.ts'
import { PASSWORD, type LoginBody, type Settings } from '../support/service.ts'

const SHARED = { COUNTERSIGN_SECRET: generateSecret(), JWT_ISSUER: 'https://auth.example.com' }
const [oldSecret, newSecret] = [generateSecret(), generateSecret()]
const [oldKey, newKey] = ['ed25519', 'ed25519'].map(() => generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())
const RINGS: Record<string, (ring: string) => Settings> = {
  HS256: ring => ({ JWT_SECRET: ring }),
  EdDSA: ring => ({ JWT_SECRET: '', JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY: ring })
}

// Milliseconds.
const SIDE_BY_SIDE = 400
const BETWEEN_ROUNDS = 20

/** The tokens that are alive, as far as their holders can tell, and what became of them. */
interface Traffic {
  accepted: number
  refused: string[]
  forgedAccepted: number
  forgedRefused: number
  readonly kids: Set<unknown>
}

/** Two people a round, each at another instance than the one that minted their token; and a forgery of each token. */
async function drive (instances: Map<number, Instance>, traffic: Traffic, isOver: () => boolean): Promise<void> {
  let held: LoginBody | undefined
  while (!isOver()) {
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
  t.test(`${algorithm} keys change under load, and no good token is refused`, onPostgres, async t => {
    const [from, to] = algorithm === 'HS256' ? [oldSecret, newSecret] : [oldKey ?? '', newKey ?? '']
    const { url = '', dataDir } = await testDatabase(t)
    const serving = new Map<number, Instance>()
    const traffic: Traffic = { accepted: 0, refused: [], forgedAccepted: 0, forgedRefused: 0, kids: new Set() }

    // New processes take over the places of the old ones one after the other, as any rolling deployment has it: for a
    // while the two stages stand side by side.
    async function deploy (ring: string): Promise<void> {
      const settings = { ...SHARED, DATABASE_URL: url, DATA_DIR: dataDir, ...settingsOf(ring) }
      const { instances } = await startInstances(t, settings, settings)
      const retired = [...serving.values()]
      for (const [place, instance] of instances.entries()) {
        serving.set(place, instance)
        await pause(SIDE_BY_SIDE)
      }
      // Nothing is under way at the old ones any more: whoever asks, asks one thing at a time.
      await Promise.all(retired.map(instance => instance.kill()))
    }

    let isOver = false
    t.teardown(() => { isOver = true })
    await deploy(from)
    const driving = [1, 2].map(() => drive(serving, traffic, () => isOver))
    await deploy(`${from},${to}`)
    await deploy(`${to},${from}`)
    await deploy(to)
    isOver = true
    await Promise.all(driving)

    t.strictSame(traffic.refused, [], 'no good token was refused')
    t.equal(traffic.forgedAccepted, 0, 'and no bad one accepted')
    t.ok(traffic.accepted > 50 && traffic.forgedRefused > 50, `${traffic.accepted} good, ${traffic.forgedRefused} bad`)
    t.equal(traffic.kids.size, 2, 'both keys signed')
    t.comment(`${algorithm}: ${traffic.accepted} good tokens accepted, ${traffic.forgedRefused} forged refused`)
  })
}
