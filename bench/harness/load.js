// The parent's side of loader.js, and the requests it sends.
import { fileURLToPath } from 'node:url'
import { ask, coreSeconds, cpuSeconds, startNode } from './processes.js'
import { median } from './statistics.js'

const LOADER = fileURLToPath(new URL('loader.js', import.meta.url))

/** A loader process on the load's core. One job at a time. */
export function createLoader (cores) {
  const child = startNode(LOADER, { core: cores?.load, ipc: true })
  const defined = new Set()

  return {
    async define (name, list) {
      if (defined.has(name)) return
      await ask(child, { define: { name, ...list } })
      defined.add(name)
    },
    /**
     * Runs one job against a subject. `serverBusy` and `othersBusy` are the shares of the servers' core that its
     * process and all other processes took meanwhile; `perCpuSecond` counts answers by the first alone.
     */
    async run (subject, job) {
      const before = readCpu(subject, cores)
      const result = await ask(child, { job: { port: subject.port, ...job } })
      const after = readCpu(subject, cores)
      const serverBusy = (after.server - before.server) / (after.clock - before.clock)
      const coreBusy = (after.core - before.core) / (after.clock - before.clock)
      return { ...result, perCpuSecond: result.latencies.length / (after.server - before.server), serverBusy, othersBusy: Math.max(0, coreBusy - serverBusy) }
    }
  }
}

function readCpu ({ child }, cores) {
  return { clock: performance.now() / 1000, server: cpuSeconds(child.pid), core: cores && coreSeconds(cores.server) }
}

/** What should make a reader doubt a row: a loader at its own limit, or strangers on the servers' core. */
export function doubtsOf (results) {
  const loader = Math.max(...results.map(result => result.busy))
  return [
    ...(loader > 0.95 ? [`the loader was up to ${percent(loader)} busy and may have been the limit`] : []),
    ...doubtsOfCrowd(results.map(result => result.othersBusy))
  ]
}

/** @param shares the shares of the servers' core that other processes took, a round each */
export function doubtsOfCrowd (shares) {
  const others = median(shares)
  return others > 0.1 ? [`other processes took ${percent(others)} of the servers' core`] : []
}

function percent (share) {
  return `${Math.round(share * 100)} %`
}

/** GET with a bearer token, to stand before and after each token of a list. */
export function getWithToken (path) {
  return { head: `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer `, tail: '\r\n\r\n' }
}

/** POST of a JSON body, whole, to stand in a list. */
export function postJson (path, body) {
  const text = JSON.stringify(body)
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
}

/** A measurement of refusals or broken connections would be worth nothing: stop there and then. */
export function demandSuccess ({ statuses, errors }, subject, what) {
  const good = Object.entries(statuses).filter(([status]) => status.startsWith('2')).reduce((sum, [, count]) => sum + count, 0)
  const all = Object.values(statuses).reduce((sum, count) => sum + count, 0)
  if (good === 0 || good < all || errors > 0) {
    throw new Error(`${subject.title}, ${what}: answers ${JSON.stringify(statuses)}, ${errors} broken connections\n${subject.child.output}`)
  }
}
