// From the 204 of a logout on one instance to the first 401 on another, with and without LISTEN.
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, startNode, stop } from '../harness/processes.js'
import { quantile } from '../harness/statistics.js'

const MODULES = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const WITHOUT_LISTEN = fileURLToPath(new URL('../servers/without-listen.js', import.meta.url))
// Reads are a second apart, so that many logouts are under way at once, each at a random moment.
const WAYS = [
  { name: 'with LISTEN', options: '', target: '≤ 50', atOnce: 1, everyMs: 0 },
  { name: 'by reads alone', options: `--import=${WITHOUT_LISTEN}`, target: '≤ 1100', atOnce: 16, everyMs: 10 }
]

export const revocation = {
  title: 'logout on one instance → refused on another',
  async run (bench) {
    const [service] = await bench.running(['service'])
    if (!service) return []
    const rows = []
    for (const way of WAYS) {
      const other = await startOther(service, way)
      const times = await measure(service, other, way, bench.settings.logouts)
      await stop(other.child)
      rows.push({
        what: `logout → refused elsewhere, p99, ms, ${way.name}`,
        subject: service.title,
        target: way.target,
        value: { median: quantile(times, 0.99), min: Math.min(...times), max: Math.max(...times), rounds: times.length },
        detail: `p50 ${quantile(times, 0.5).toFixed(1)}, p99 ${quantile(times, 0.99).toFixed(1)}, max ${Math.max(...times).toFixed(1)} ms of ${times.length}`
      })
    }
    return rows
  }
}

async function startOther ({ file, args, nodeArgs, env, title }, { options }) {
  const port = await freePort()
  // What is loaded first changes a module, and the bundle has its own.
  const child = startNode(options ? MODULES : file, { args, nodeArgs, env: { ...env, PORT: String(port), ...options && { NODE_OPTIONS: options } } })
  const limit = performance.now() + 30_000
  while (performance.now() < limit && child.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/live`).catch(() => undefined)
    if (answer?.status === 200) return { port, child }
    await sleep(20)
  }
  throw new Error(`${title} did not start a second time:\n${child.output}`)
}

async function measure (service, other, { atOnce, everyMs }, count) {
  const times = []
  const logins = Array.from({ length: count }, (_, index) => service.users[index % service.users.length])
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let user = logins.pop(); user; user = logins.pop()) {
      const token = await logIn(service, user)
      const status = await verify(other, token)
      if (status !== 200) throw new Error(`the other instance answered ${status} to a new token`)
      await sleep(Math.random() * 2 * everyMs * atOnce)
      times.push(await timeLogout(service, other, token, everyMs))
    }
  }))
  return times
}

export async function logIn ({ port, routes }, { email, password }) {
  const answer = await fetch(`http://127.0.0.1:${port}${routes.login}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password })
  })
  const { accessToken, code } = await answer.json()
  if (accessToken === undefined) throw new Error(`a login was answered ${answer.status} ${code}`)
  return accessToken
}

export async function logOut ({ port }, token) {
  const answer = await fetch(`http://127.0.0.1:${port}/auth/logout`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
  if (answer.status !== 204) throw new Error(`a logout was answered ${answer.status}`)
}

async function timeLogout (service, other, token, everyMs) {
  await logOut(service, token)
  const since = performance.now()
  while (await verify(other, token) === 200) if (everyMs > 0) await sleep(everyMs)
  return performance.now() - since
}

export async function verify ({ port }, token) {
  const answer = await fetch(`http://127.0.0.1:${port}/auth/verify`, { headers: { authorization: `Bearer ${token}` } })
  await answer.arrayBuffer()
  return answer.status
}
