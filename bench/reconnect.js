// node bench/reconnect.js      what followers that all come back at once cost the service, with a million live revocations
// LIVE, FOLLOWERS, STALLED (of them, who read nothing), HEAP (megabytes that its heap may have), LIMIT_S (seconds): other numbers
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { registerVerifier } from './harness/clients.js'
import { createDatabases } from './harness/databases.js'
import { ask, freePort, killAll, residentMegabytes, startNode, stop } from './harness/processes.js'
import { quantile } from './harness/statistics.js'
import { SERVE_ENVIRONMENT, SERVE_FLAGS } from '../dist/cli/serve-flags.js'

const { LIVE = '1000000', FOLLOWERS = '500', STALLED = '0', HEAP, LIMIT_S = '600' } = process.env
const CLI = fileURLToPath(new URL('../dist/bin/main.js', import.meta.url))
const READERS = fileURLToPath(new URL('servers/feed-readers.js', import.meta.url))

const databases = createDatabases(process.env.BENCH_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres')
try {
  const url = await databases.create('reconnect')
  const first = await startService(url)
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  await stop(first.child)
  await pool.query(`INSERT INTO revocations (kind, subject, expires_at, xid)
    SELECT 'session', gen_random_uuid(), now() + interval '1 hour', pg_current_xact_id()::text::bigint FROM generate_series(1, $1::int)`, [LIVE])
  await pool.query('VACUUM ANALYZE revocations')
  await pool.end()

  const service = await startService(url)
  const env = await registerVerifier(service, 'revocations:read')
  await sleep(3_000)
  const before = residentMegabytes(service.child.pid)
  const calm = await watch(service, () => sleep(5_000))
  const readers = startNode(READERS, { env: { ...env, FOLLOWERS, STALLED }, ipc: true })
  const began = performance.now()
  const expected = Number(FOLLOWERS) - Number(STALLED)
  let half
  const storm = await watch(service, async () => {
    for (;;) {
      await sleep(100)
      const counts = await ask(readers, 'counts')
      if (counts.synced >= expected / 2) half ??= performance.now() - began
      // Where all of them read nothing, it is over when the time is.
      if ((counts.synced >= expected && expected > 0) || performance.now() - began > Number(LIMIT_S) * 1000) return counts
    }
  })
  const { synced, refused, closed, bytes } = storm.result
  say(`${LIVE} live, ${FOLLOWERS} followers (${STALLED} of them read nothing)`)
  say(`synced ${synced}, refused at first ${refused}, closed ${closed}; half of them after ${((half ?? 0) / 1000).toFixed(1)} s, all after ${((performance.now() - began) / 1000).toFixed(1)} s; ${(bytes / 1e9).toFixed(2)} GB sent`)
  say(`resident: ${before.toFixed(0)} MB before, ${storm.peak} MB at most`)
  say(`/health/live, ms: p50 ${quantile(calm.times, 0.5).toFixed(1)}, max ${Math.max(...calm.times).toFixed(1)} before; p50 ${quantile(storm.times, 0.5).toFixed(1)}, p99 ${quantile(storm.times, 0.99).toFixed(1)}, max ${Math.max(...storm.times).toFixed(1)} meanwhile (of ${storm.times.length})`)
  if (service.child.exitCode !== null || service.child.signalCode !== null) say(`the service died:\n${service.child.output.slice(-600)}`)
  await Promise.all([stop(readers), stop(service.child)])
} finally {
  killAll()
  await databases.dropAll()
}

/** Asks for /health/live, and looks at the memory, every 20 ms while something is done. */
async function watch ({ port, child }, work) {
  const times = []
  let peak = 0
  const done = new AbortController()
  const watching = (async () => {
    while (!done.signal.aborted && child.exitCode === null && child.signalCode === null) {
      const asked = performance.now()
      await fetch(`http://127.0.0.1:${port}/health/live`).then(answer => answer.text()).catch(() => {})
      times.push(performance.now() - asked)
      peak = Math.max(peak, residentMegabytes(child.pid) ?? 0)
      await sleep(20)
    }
  })()
  const result = await work()
  done.abort()
  await watching
  return { result, times, peak: Math.round(peak) }
}

async function startService (url) {
  const port = await freePort()
  const issuer = `http://127.0.0.1:${port}`
  const env = {
    NODE_ENV: 'production',
    LOG_LEVEL: 'error',
    RATE_LIMITS: 'off',
    PORT: String(port),
    PUBLIC_URL: issuer,
    JWT_ISSUER: issuer,
    JWT_AUDIENCE: 'api',
    DATABASE_URL: url,
    COUNTERSIGN_SECRET: randomBytes(48).toString('base64url'),
    JWT_SECRET: randomBytes(48).toString('base64url')
  }
  const heap = HEAP === undefined ? [] : [`--max-old-space-size=${HEAP}`]
  const child = startNode(CLI, { args: ['serve'], nodeArgs: [...SERVE_FLAGS, ...heap], env: { ...env, ...SERVE_ENVIRONMENT } })
  for (let tries = 0; tries < 3_000 && child.exitCode === null; tries++) {
    const answer = await fetch(`${issuer}/health/live`).catch(() => undefined)
    if (answer?.status === 200) return { port, child, file: CLI, env }
    await sleep(20)
  }
  throw new Error(`the service did not start:\n${child.output}`)
}

function say (line) {
  process.stdout.write(`${line}\n`)
}
