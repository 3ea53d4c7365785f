// From spawning the process to the first 200 of its readiness route, on a database that has its tables already.
import { stop } from '../harness/processes.js'
import { interleave, summarize } from '../harness/statistics.js'

export const start = {
  title: 'start on Postgres → first 200',
  async run (bench) {
    const names = bench.chosen(['service', 'fastify', 'express', 'better-auth'])
    const prepared = Object.fromEntries(await Promise.all(names.map(async name => {
      const subject = await bench.fleet.prepare(name, 'start')
      return [name, { subject, firstMs: await startOnce(bench, subject) }]
    })))
    const times = await interleave(bench.settings.starts, Object.fromEntries(
      names.map(name => [name, () => startOnce(bench, prepared[name].subject)])))

    return names.map(name => {
      const milliseconds = summarize(times[name])
      return {
        what: 'start → first 200, s',
        subject: prepared[name].subject.title,
        target: name === 'service' ? '≤ 1' : '',
        value: summarize(times[name].map(ms => ms / 1000)),
        detail: `first start, on an empty database: ${(prepared[name].firstMs / 1000).toFixed(2)} s`,
        milliseconds,
        firstMilliseconds: prepared[name].firstMs
      }
    })
  }
}

async function startOnce (bench, subject) {
  await bench.fleet.launch(subject)
  await stop(subject.child)
  return subject.startMs
}
