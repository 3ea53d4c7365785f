// What sessions cost without HTTP around them: refreshes/s ÷ bare conditional UPDATEs/s over one pool, and stateful verifications/s.
import { fileURLToPath } from 'node:url'
import { ask, startNode, stop } from '../harness/processes.js'
import { summarize, summarizeRatios } from '../harness/statistics.js'

const RACE = fileURLToPath(new URL('../servers/sessions-race.js', import.meta.url))

export const sessions = {
  title: 'refreshes and stateful verifications without HTTP',
  async run (bench) {
    const [service] = await bench.running(['service'])
    if (!service) return []
    const { DATABASE_URL } = service.env
    const race = startNode(RACE, { core: bench.cores?.server, env: { DATABASE_URL, REDIS_URL: process.env.BENCH_REDIS_URL ?? '' }, ipc: true })
    const { refresh, update, ...stateful } = await ask(race, { warmUps: bench.settings.sessionWarmUps, rounds: bench.settings.sessionRounds, roundMs: bench.settings.sessionRoundMs })
    await stop(race)
    return [
      {
        what: 'refreshes ÷ single-row conditional UPDATEs',
        subject: service.title,
        target: '≥ 0.80',
        ratio: summarizeRatios(refresh, update),
        detail: `${summarize(refresh).median.toFixed(0)} ÷ ${summarize(update).median.toFixed(0)} per s`
      },
      ...Object.entries(stateful).map(([name, rates]) => ({
        what: `stateful verifications per s, ${name}`,
        subject: service.title,
        target: '',
        value: summarize(rates),
        detail: `${(1_000_000 / summarize(rates).median).toFixed(1)} µs each`
      }))
    ]
  }
}
