// What a guard costs: requests/s on a guarded route ÷ the same route unguarded, in one server, with the same bytes sent.
import { demandSuccess, doubtsOf, getWithToken } from '../harness/load.js'
import { interleave, summarize, summarizeRatios } from '../harness/statistics.js'

const PEERS = ['fastify', 'fastify-cached', 'express', 'better-auth']

// The others remember no token (but the cached one): to them every token is new.
const MEASURED_COLD = ['plugin']
const WARM_UP_SECONDS = 0.7

export const guard = {
  title: 'guarded ÷ unguarded route, requests/s',
  async run (bench) {
    const rows = []
    for (const subject of await bench.running(['plugin', ...PEERS])) {
      const { name } = subject
      const warm = await measureWarm(bench, subject, { target: '', what: 'guard, tokens seen before' })
      rows.push(warm)
      if (subject.routes.remembered) rows.push(await measureBesideFloor(bench, subject))
      if (MEASURED_COLD.includes(name)) rows.push(await measureCold(bench, subject, { target: name === 'plugin' ? '≥ 0.70' : '', fastest: warm.guarded.max }))
    }
    return rows
  }
}

export const verifyRoute = {
  title: '/auth/verify ÷ /health/live, requests/s',
  async run (bench) {
    const rows = []
    for (const subject of await bench.running(['service'])) {
      rows.push(await measureWarm(bench, subject, { target: '≥ 0.95', what: '/auth/verify ÷ /health/live' }))
    }
    return rows
  }
}

export async function measureWarm (bench, subject, { target, what }) {
  const list = `${subject.name} warm`
  const tokens = subject.mint ? await bench.mint(subject, bench.settings.warmTokens) : { items: subject.users.map(user => user.token) }
  await bench.loader.define(list, tokens)
  return measure(bench, subject, { list, target, what })
}

// Beside the least that whatever remembers tokens does: a hook that finds the header in a map, and assigns what it finds.
function measureBesideFloor (bench, subject) {
  return measure(bench, subject, { list: `${subject.name} warm`, beside: subject.routes.remembered, target: '≥ 0.97', what: 'guard ÷ a bare Map look-up' })
}

// New tokens cannot go faster than known ones, so that rate says how many are enough for every round.
export async function measureCold (bench, subject, { target, fastest, what = 'guard, every token new' }) {
  const { rounds, seconds } = bench.settings
  const list = `${subject.name} cold`
  await bench.loader.define(list, await bench.mint(subject, Math.ceil(1.2 * fastest * (WARM_UP_SECONDS + rounds * seconds))))
  return measure(bench, subject, { list, once: true, target, what })
}

async function measure (bench, subject, { list, path = subject.routes.guarded, beside = subject.routes.open, once = false, target, what }) {
  const { rounds, seconds, connections } = bench.settings
  const load = async (route, options) => {
    const result = await bench.loader.run(subject, { ...getWithToken(route), list, connections, seconds, ...options })
    demandSuccess(result, subject, route)
    return result
  }

  await load(path, { once, seconds: WARM_UP_SECONDS })
  await load(beside, { seconds: WARM_UP_SECONDS })
  const results = await interleave(rounds, {
    guarded: () => load(path, { once }),
    open: () => load(beside)
  })

  const guarded = results.guarded.map(result => result.perSecond)
  const open = results.open.map(result => result.perSecond)
  // The same ratio with the machine's other work left out: answers per second of the server's own CPU time.
  const byCpuTime = summarizeRatios(results.guarded.map(result => result.perCpuSecond), results.open.map(result => result.perCpuSecond))
  const all = [...results.guarded, ...results.open]
  return {
    what,
    subject: subject.title,
    target,
    ratio: summarizeRatios(guarded, open),
    detail: `${perSecond(guarded)} ÷ ${perSecond(open)} req/s${Number.isNaN(byCpuTime.median) ? '' : `; by CPU time ${byCpuTime.median.toFixed(2)}`}`,
    byCpuTime,
    guarded: summarize(guarded),
    open: summarize(open),
    busiestLoader: Math.max(...all.map(result => result.busy)),
    idlestServer: Math.min(...all.map(result => result.serverBusy)),
    doubts: doubtsOf(all)
  }
}

function perSecond (values) {
  return Math.round(summarize(values).median).toLocaleString('en')
}
