// node bench/large.js      what becomes of the service's speed with a million of each; some minutes, 2 GB of Postgres
import { randomBytes, randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { createDatabases } from './harness/databases.js'
import { freePort, killAll, residentMegabytes, startNode, stop } from './harness/processes.js'
import { ARGON2 } from './harness/settings.js'
import { quantile } from './harness/statistics.js'
import { createRefreshTokens } from '../dist/sessions/refresh-token.js'
import { createSessionPurge } from '../dist/sessions/purge-store.js'
import { SERVE_ENVIRONMENT, SERVE_FLAGS } from '../dist/cli/serve-flags.js'
import { startPurgeJob } from '../dist/database/purge-job.js'
import { bindValues } from '../dist/database/statement.js'
import { deriveKeyRing } from '../dist/tokens/derived-keys.js'

const MANY = Number(process.env.LARGE ?? 1_000_000)
const FEW = 1_000
const CLI = fileURLToPath(new URL('../dist/bin/main.js', import.meta.url))
const REVOCATIONS = fileURLToPath(new URL('servers/revocation-set.js', import.meta.url))

const databases = createDatabases(process.env.BENCH_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres')
const secret = randomBytes(48).toString('base64url')
const tokens = createRefreshTokens(deriveKeyRing([secret], 'refresh'))
const nonce = randomBytes(16)

try {
  await revocationSet()
  const url = await databases.create('large')
  const service = await startService(url)
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  const users = await signUp(service, 100)
  await refreshes(service, pool)
  await purge(service, pool, users)
  await ledgerAtStart(service, pool, url)
  await pool.end()
  await stop(service.child)
} finally {
  killAll()
  await databases.dropAll()
}

/** In a process of its own: memory, and what verifying costs with and without them. */
async function revocationSet () {
  const child = startNode(REVOCATIONS, { env: { LARGE: String(MANY) } })
  await new Promise(resolve => child.once('exit', resolve))
  process.stdout.write(child.output)
}

async function refreshes ({ port }, pool) {
  const p50 = {}
  for (const count of [FEW, MANY]) {
    const ids = await fillSessions(pool, count)
    await pool.query('VACUUM ANALYZE sessions')
    const times = []
    for (let turn = 0; turn < 2200; turn++) {
      const began = performance.now()
      const token = tokens.write({ sessionId: ids[turn % ids.length], generation: Math.floor(turn / ids.length), nonce })
      const { status } = await post(port, '/auth/refresh', { refreshToken: token })
      if (status !== 200) throw new Error(`a refresh was answered ${status}`)
      if (turn >= 200) times.push(performance.now() - began)
    }
    p50[count] = quantile(times, 0.5)
    say(`refresh over HTTP, ${count} sessions: p50 ${p50[count].toFixed(2)} ms, p99 ${quantile(times, 0.99).toFixed(2)} ms`)
  }
  say(`refresh p50, ${MANY} ÷ ${FEW} sessions: ${(p50[MANY] / p50[FEW]).toFixed(2)} (target ≤ 1.2)`)
}

async function purge ({ port }, pool, users) {
  const database = { query: async (statement, values) => (await pool.query({ name: statement.name, text: statement.text, values: bindValues(statement, values) })).rows }
  await pool.query('UPDATE sessions SET idle_ends_at = now() - interval \'1 minute\' WHERE id IN (SELECT id FROM sessions LIMIT $1)', [MANY / 2])
  await pool.query('VACUUM ANALYZE sessions')
  const before = await logIns(port, users, 12_000)
  const began = performance.now()
  const stopPurging = startPurgeJob([createSessionPurge(database)], { warn: details => { throw details.err } }, 0)
  const during = []
  let left = MANY
  while (left > 0) {
    during.push(...await logIns(port, users, 2_000))
    const { rows } = await pool.query('SELECT count(*)::int AS count FROM (SELECT 1 FROM sessions WHERE idle_ends_at < now() LIMIT 1) AS expired')
    left = rows[0].count
  }
  stopPurging()
  say(`purge of ${MANY / 2} sessions: ${((performance.now() - began) / 1000).toFixed(0)} s; login p50/p99 before ${percentiles(before)}, meanwhile ${percentiles(during)} ms; p99 ratio ${(quantile(during, 0.99) / quantile(before, 0.99)).toFixed(2)} (target ≤ 1.5)`)
}

/** How long a second instance takes to its first answer with a full ledger, and what it then holds. */
async function ledgerAtStart (service, pool, url) {
  await pool.query(`INSERT INTO revocations (kind, subject, user_id, expires_at, xid)
    SELECT 'session', gen_random_uuid()::text, NULL, now() + interval '1 hour', pg_current_xact_id()::text::bigint FROM generate_series(1, $1::int)`, [MANY])
  const began = performance.now()
  const second = await startService(url)
  say(`start with ${MANY} rows in the ledger: ${((performance.now() - began) / 1000).toFixed(1)} s, ${residentMegabytes(second.child.pid).toFixed(0)} MB resident (the first: ${residentMegabytes(service.child.pid).toFixed(0)})`)
  await stop(second.child)
}

async function logIns (port, users, ms) {
  const times = []
  const end = performance.now() + ms
  for (let turn = 0; performance.now() < end; turn++) {
    const began = performance.now()
    const { status } = await post(port, '/auth/login', users[turn % users.length])
    if (status !== 200) throw new Error(`a login was answered ${status}`)
    times.push(performance.now() - began)
  }
  return times
}

async function fillSessions (pool, count) {
  const { rows } = await pool.query(`
    INSERT INTO sessions (id, user_id, channel, nonce, key_id, ip, user_agent, created_at, idle_ends_at, ends_at)
    SELECT gen_random_uuid(), ($1::uuid[])[1 + n % $2], 'body', $3, 'key', '127.0.0.1', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      now(), now() + interval '30 days', now() + interval '90 days'
    FROM generate_series(1, $4::int - (SELECT count(*)::int FROM sessions)) n RETURNING id`, [await addOwners(pool, count / 10), count / 10, nonce, count])
  return rows.map(({ id }) => id).sort(() => Math.random() - 0.5).slice(0, 2200)
}

/** A user for every ten sessions: nobody has a million devices. */
async function addOwners (pool, count) {
  const ids = Array.from({ length: count }, () => randomUUID())
  await pool.query("INSERT INTO users (id, email, updated_at) SELECT id, id::text || '@bench.example', now() FROM unnest($1::uuid[]) AS id", [ids])
  return ids
}

async function signUp ({ port }, count) {
  const users = Array.from({ length: count }, (_, index) => ({ email: `large${index}@bench.example`, password: randomBytes(18).toString('base64url') }))
  for (const user of users) {
    const { status } = await post(port, '/auth/register', user)
    if (status !== 201) throw new Error(`a registration was answered ${status}`)
  }
  return users
}

async function startService (url) {
  const port = await freePort()
  const child = startNode(CLI, {
    args: ['serve'],
    nodeArgs: SERVE_FLAGS,
    env: {
      ...SERVE_ENVIRONMENT,
      NODE_ENV: 'production',
      LOG_LEVEL: 'warn',
      RATE_LIMITS: 'off',
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      DATABASE_URL: url,
      COUNTERSIGN_SECRET: secret,
      JWT_SECRET: randomBytes(48).toString('base64url'),
      ...ARGON2
    }
  })
  for (let tries = 0; tries < 3000 && child.exitCode === null; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/live`).catch(() => undefined)
    if (answer?.status === 200) return { port, child }
    await sleep(20)
  }
  throw new Error(`the service did not start:\n${child.output}`)
}

async function post (port, path, body) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  return { status: answer.status, body: await answer.json() }
}

function percentiles (times) {
  return `${quantile(times, 0.5).toFixed(1)}/${quantile(times, 0.99).toFixed(1)}`
}

function say (line) {
  process.stdout.write(`${line}\n`)
}
