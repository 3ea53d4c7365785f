// What time tells of whether an account exists: wrong passwords for known and for unknown addresses, in pairs, one request at a time.
import { Agent, request } from 'node:http'
import { median, summarize } from '../harness/statistics.js'

export const timingGap = {
  title: 'unknown against known account',
  async run (bench) {
    const rows = []
    for (const subject of await bench.running(['service', 'fastify', 'express', 'better-auth'])) {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      const times = await measurePairs(subject, bench.settings.timingPairs, agent)
      agent.destroy()
      const gaps = times.known.map((time, pair) => time - times.unknown[pair])
      rows.push({
        what: 'gap of an unknown account, ms',
        subject: subject.title,
        target: subject.name === 'service' ? '≤ 5' : '',
        value: { median: Math.abs(median(gaps)), rounds: 1 },
        detail: `${gaps.length} pairs: ${median(times.known).toFixed(1)} known, ${median(times.unknown).toFixed(1)} unknown`,
        known: summarize(times.known),
        unknown: summarize(times.unknown)
      })
    }
    return rows
  }
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
