// How long a verification waits while everybody logs in: p99 at a steady pace, beside logins that never let up.
import { defineLogins } from './logins.js'
import { doubtsOf, getWithToken } from '../harness/load.js'
import { interleave, quantile, summarize } from '../harness/statistics.js'

export const storm = {
  title: 'p99 of verify during a login storm',
  async run (bench) {
    const { stormRounds, stormSeconds } = bench.settings
    const fleet = await bench.running(['service', 'fastify', 'express', 'better-auth'])
    for (const subject of fleet) {
      await defineLogins(bench.stormLoader, subject)
      await bench.loader.define(`${subject.name} users`, { items: subject.users.map(user => user.token) })
      await verifyAtPace(bench, subject, stormSeconds / 2)
    }

    const calm = await interleave(2, byName(fleet, subject => verifyAtPace(bench, subject, stormSeconds / 2)))
    const stormy = await interleave(stormRounds, byName(fleet, subject => duringStorm(bench, subject)))

    return fleet.map(subject => describe(bench, subject, {
      rounds: stormy[subject.name],
      calm: quantile(joined(calm[subject.name]), 0.99),
      pooled: quantile(joined(stormy[subject.name].map(round => round.verify)), 0.99),
      pooledFastify: stormy.fastify && quantile(joined(stormy.fastify.map(round => round.verify)), 0.99)
    }))
  }
}

function describe (bench, subject, { rounds, calm, pooled, pooledFastify }) {
  const answers = count(rounds.map(round => round.logins.statuses))
  const verified = count(rounds.map(round => round.verify.statuses))
  const each = summarize(rounds.map(({ verify }) => quantile(verify.latencies, 0.99)))
  const refused = Object.keys(verified).filter(status => status !== '200')
  return {
    what: 'p99 of verify in a storm ÷ fastify’s',
    subject: subject.title,
    target: subject.name === 'service' ? '≤ 0.30' : '',
    ratio: pooledFastify && { median: pooled / pooledFastify, rounds: 1 },
    detail: `p99 ${pooled.toFixed(1)} ms (rounds ${each.min.toFixed(1)}–${each.max.toFixed(1)}), calm ${calm.toFixed(1)} ms; logins ${spell(answers)}`,
    p99Milliseconds: { pooled, calm, rounds: each },
    loginAnswers: answers,
    hash: subject.hash,
    doubts: [
      ...(refused.length > 0 ? [`verify was answered ${spell(verified)}`] : []),
      ...doubtsOf(rounds.map(round => round.verify))
    ]
  }
}

async function duringStorm (bench, subject) {
  const { stormClients, stormPauseMs, stormSeconds } = bench.settings
  const [logins, verify] = await Promise.all([
    bench.stormLoader.run(subject, {
      head: '',
      list: `${subject.name} logins`,
      connections: stormClients,
      pauseMs: stormPauseMs,
      seconds: stormSeconds + 0.5,
      // Many addresses, as a storm has; only Linux answers on all of 127.0.0.0/8.
      sources: process.platform === 'linux' ? stormClients : 1
    }),
    new Promise(resolve => setTimeout(resolve, 500)).then(() => verifyAtPace(bench, subject, stormSeconds))
  ])
  return { logins, verify }
}

function verifyAtPace (bench, subject, seconds) {
  return bench.loader.run(subject, {
    ...getWithToken(subject.routes.guarded),
    list: `${subject.name} users`,
    connections: 16,
    perSecond: bench.settings.pacePerSecond,
    seconds
  })
}

function byName (fleet, measure) {
  return Object.fromEntries(fleet.map(subject => [subject.name, () => measure(subject)]))
}

function joined (results) {
  return results.flatMap(result => Array.from(result.latencies))
}

function spell (statuses) {
  return Object.entries(statuses).map(([status, number]) => `${number} × ${status}`).join(', ')
}

function count (allStatuses) {
  const total = {}
  for (const statuses of allStatuses) {
    for (const [status, number] of Object.entries(statuses)) total[status] = (total[status] ?? 0) + number
  }
  return total
}
