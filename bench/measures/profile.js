// What a profile costs the server beside a verification, and the list of sessions: CPU time of its process alone.
import { demandSuccess, doubtsOf, getWithToken } from '../harness/load.js'
import { interleave, summarize, summarizeRatios } from '../harness/statistics.js'

const ROUTES = { verify: '/auth/verify', me: '/auth/me', sessions: '/auth/sessions' }
const WARM_UP_SECONDS = 0.7

export const profile = {
  title: 'CPU time of /auth/verify ÷ /auth/me',
  async run (bench) {
    const rows = []
    for (const subject of await bench.running(['service'])) rows.push(await measure(bench, subject))
    return rows
  }
}

async function measure ({ loader, settings }, subject) {
  const { rounds, seconds, connections } = settings
  const list = `${subject.name} profiles`
  await loader.define(list, { items: subject.users.map(user => user.token) })
  const load = async (route, duration) => {
    const result = await loader.run(subject, { ...getWithToken(route), list, connections, seconds: duration })
    demandSuccess(result, subject, route)
    return result
  }

  for (const route of Object.values(ROUTES)) await load(route, WARM_UP_SECONDS)
  const results = await interleave(rounds, Object.fromEntries(Object.entries(ROUTES).map(([name, route]) => [name, () => load(route, seconds)])))
  const microseconds = name => results[name].map(({ perCpuSecond }) => 1_000_000 / perCpuSecond)
  return {
    what: '/auth/verify ÷ /auth/me, CPU time',
    subject: subject.title,
    target: '≥ 0.40',
    ratio: summarizeRatios(microseconds('verify'), microseconds('me')),
    detail: Object.keys(ROUTES).map(name => `${name} ${summarize(microseconds(name)).median.toFixed(0)}`).join(', ') + ' µs',
    doubts: doubtsOf(Object.values(results).flat())
  }
}
