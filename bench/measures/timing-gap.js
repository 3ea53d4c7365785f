// What time tells of whether an account exists: wrong passwords for known and for unknown addresses, in pairs, one request at a time.
import { randomBytes, randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import pg from 'pg'
import { median, summarize } from '../harness/statistics.js'

export const timingGap = {
  title: 'unknown against known account',
  async run (bench) {
    const rows = []
    for (const subject of await bench.running(['service', 'fastify', 'express', 'better-auth'])) {
      const { timingPairs, timingPairsOfOthers } = bench.settings
      const isService = subject.name === 'service'
      rows.push(await measure(subject, 'known', subject.users, isService ? timingPairs : timingPairsOfOthers))
      if (!isService) continue
      for (const [kind, users] of Object.entries(await createOthers(subject))) rows.push(await measure(subject, kind, users, timingPairsOfOthers))
    }
    return rows
  }
}

async function measure (subject, kind, users, pairs) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const times = await measurePairs({ ...subject, users }, pairs, agent)
  agent.destroy()
  const gaps = times.known.map((time, pair) => time - times.unknown[pair])
  return {
    what: kind === 'known' ? 'gap of an unknown account, ms' : `… from one ${kind}, ms`,
    subject: subject.title,
    target: subject.name === 'service' ? '≤ 5' : '',
    value: { median: Math.abs(median(gaps)), rounds: 1 },
    detail: `${gaps.length} pairs: ${median(times.known).toFixed(1)} known, ${median(times.unknown).toFixed(1)} unknown`,
    known: summarize(times.known),
    unknown: summarize(times.unknown)
  }
}

/** Accounts that a login refuses in ways of their own. */
async function createOthers ({ env: { DATABASE_URL: connectionString, ARGON2_MEMORY_KIB: memory, ARGON2_ITERATIONS: iterations } }) {
  const unpadded = bytes => randomBytes(bytes).toString('base64').replace(/=+$/, '')
  const hash = (m, t) => `$argon2id$v=19$m=${m},t=${t},p=1$${unpadded(16)}$${unpadded(32)}`
  const kinds = {
    'with a hash of a fifth of the cost': { hash: () => hash(7168, 1) },
    'with a hash of half the cost': { hash: () => hash(memory, iterations / 2) },
    'without a password': { hash: () => null },
    'that is disabled': { hash: () => hash(memory, iterations), disabledAt: new Date() }
  }
  const client = new pg.Client({ connectionString })
  await client.connect()
  const users = {}
  for (const [kind, { hash, disabledAt = null }] of Object.entries(kinds)) {
    users[kind] = Array.from({ length: 16 }, () => ({ email: `${randomUUID()}@bench.example` }))
    for (const { email } of users[kind]) await client.query('INSERT INTO users (id, email, password_hash, disabled_at) VALUES (gen_random_uuid(), $1, $2, $3)', [email, hash(), disabledAt])
  }
  await client.end()
  return users
}

async function measurePairs ({ port, routes, users }, pairs, agent) {
  const times = { known: [], unknown: [] }
  const attempt = email => timeOf({ port, path: routes.login, agent }, { email, password: 'a wrong password of usual length' })
  for (const { email } of users) await attempt(email)
  for (let pair = 0; pair < pairs; pair++) {
    const emails = { known: users[pair % users.length].email, unknown: `nobody${pair}@bench.example` }
    const order = Object.keys(emails)
    if (pair % 2) order.reverse()
    for (const kind of order) times[kind].push(await attempt(emails[kind]))
  }
  return times
}

/** Milliseconds from sending a request to the end of its answer. */
function timeOf (target, body) {
  const payload = JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload), origin: `http://127.0.0.1:${target.port}` }
    request({ host: '127.0.0.1', method: 'POST', headers, ...target }, answer => {
      answer.resume().once('error', reject).once('end', () => {
        if (answer.statusCode === 401) resolve(performance.now() - startedAt)
        else reject(new Error(`A wrong password was answered ${answer.statusCode}`))
      })
    }).once('error', reject).end(payload)
  })
}
