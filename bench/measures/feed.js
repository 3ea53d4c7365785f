// From the 204 of a logout to the refusal by three verifiers in processes of their own; and to hundreds of followers of one
// instance, with the memory that they take there.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { registerVerifier } from '../harness/clients.js'
import { ask, residentMegabytes, startNode, stop } from '../harness/processes.js'
import { quantile, summarize } from '../harness/statistics.js'
import { logIn, logOut, verify } from './revocation.js'

const VERIFIERS = fileURLToPath(new URL('../servers/verifiers.js', import.meta.url))
const THREE = 3
const SETTLE_MS = 3_000
const WARM_UP = 10
const DELIVERY_LIMIT_MS = 10_000

export const feed = {
  title: 'the feed of revocations, to verifiers in other processes',
  async run (bench) {
    const [service] = await bench.running(['service'])
    if (!service) return []
    const env = await registerVerifier(service, 'revocations:read')
    return [await toThree(bench, service, env), await toMany(bench, service, env), ...await memoryOfEach(bench)]
  }
}

async function toThree ({ settings, cores }, service, env) {
  const three = await Promise.all(Array.from({ length: THREE }, () => startVerifiers(env, { cores })))
  const times = []
  for (let round = 0; round < settings.feedRounds; round++) {
    const token = await logIn(service, service.users[round % service.users.length])
    for (const one of three) if (await verify(one, token) !== 200) throw new Error('a verifier does not know a new token')
    await logOut(service, token)
    const since = performance.now()
    await Promise.all(three.map(async one => { while (await verify(one, token) === 200); }))
    times.push(performance.now() - since)
  }
  await Promise.all(three.map(({ child }) => stop(child)))
  return {
    what: 'logout → refused by three verifiers, p99, ms',
    subject: service.title,
    target: '≤ 15',
    value: { ...summarize(times), median: quantile(times, 0.99) },
    detail: describe(times)
  }
}

async function toMany ({ settings, cores }, service, env) {
  const { followers, fanOuts } = settings
  const crowd = await startVerifiers(env, { cores, followers })
  const times = []
  for (let round = 0; round < fanOuts; round++) {
    const token = await logIn(service, service.users[round % service.users.length])
    const asked = clock()
    await logOut(service, token)
    times.push(...(await allHeard(crowd, followers, token)).map(heardAt => heardAt - asked))
  }
  await stop(crowd.child)
  return {
    what: `logout asked → told to ${followers} verifiers, p99, ms`,
    subject: service.title,
    target: '',
    value: { ...summarize(times), median: quantile(times, 0.99) },
    detail: describe(times)
  }
}

// In a process that has done nothing else: what it grows by is then the followers' alone, and what came of taking them on.
async function memoryOfEach ({ settings: { followers }, cores, prepared }) {
  const rows = []
  for (const service of await prepared(['service'])) {
    const env = await registerVerifier(service, 'revocations:read')
    const [first, before] = [await startVerifiers(env, { cores, followers: WARM_UP }), residentMegabytes(service.child.pid)]
    const crowd = await startVerifiers(env, { cores, followers })
    await sleep(SETTLE_MS)
    const after = residentMegabytes(service.child.pid)
    await Promise.all([first, crowd, service].map(({ child }) => stop(child)))
    if (after === undefined) continue
    rows.push({
      what: 'memory of one follower, KB',
      subject: service.title,
      target: '',
      value: { median: (after - before) * 1000 / followers, rounds: 1 },
      detail: `${before.toFixed(0)} → ${after.toFixed(0)} MB with ${followers}`
    })
  }
  return rows
}

async function startVerifiers (env, { cores, followers = 1 }) {
  const child = startNode(VERIFIERS, { env: { ...env, FOLLOWERS: String(followers) }, core: cores?.load, ipc: true })
  const started = await Promise.race([once(child, 'message').then(([message]) => message), once(child, 'exit').then(() => undefined)])
  if (started === undefined) throw new Error(`a verifier did not start:\n${child.output}`)
  return { child, port: started.port }
}

/**
 * When each of the followers was told that the session of a token, or its user, is revoked; fails where one of them was not.
 * A login that ends an older session of the same user is told too.
 */
async function allHeard ({ child }, followers, token) {
  const { sid, sub } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))
  const heardAt = new Map()
  for (const limit = performance.now() + DELIVERY_LIMIT_MS; performance.now() < limit; await sleep(20)) {
    for (const { follower, id, at } of (await ask(child, 'heard')).heard) {
      if ((id === sid || id === sub) && !heardAt.has(follower)) heardAt.set(follower, at)
    }
    if (heardAt.size === followers) return [...heardAt.values()]
  }
  throw new Error(`${heardAt.size} of ${followers} verifiers were told of a logout`)
}

function clock () {
  return performance.timeOrigin + performance.now()
}

function describe (times) {
  return `p50 ${quantile(times, 0.5).toFixed(1)}, p99 ${quantile(times, 0.99).toFixed(1)}, max ${Math.max(...times).toFixed(1)} ms of ${times.length}`
}
