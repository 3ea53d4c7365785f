// From spawning the process to the first 200 of its readiness route, on a database that has its tables already.
import { doubtsOfCrowd } from '../harness/load.js'
import { stop } from '../harness/processes.js'
import { interleave, summarize } from '../harness/statistics.js'

export const start = {
  title: 'start on Postgres → first 200',
  async run (bench) {
    const fleet = await bench.prepared(['service', 'fastify', 'express', 'better-auth'])
    for (const subject of fleet) {
      subject.firstMs = subject.startMs
      await stop(subject.child)
    }
    const times = await interleave(bench.settings.starts, Object.fromEntries(
      fleet.map(subject => [subject.name, () => startOnce(bench, subject)])))

    return fleet.map(({ name, title, firstMs }) => {
      const seconds = summarize(times[name].map(({ startMs }) => startMs / 1000))
      return {
        what: 'start → first 200, s',
        subject: title,
        target: name === 'service' ? '≤ 0.35' : '',
        value: seconds,
        detail: `first start, on an empty database: ${(firstMs / 1000).toFixed(2)} s`,
        firstSeconds: firstMs / 1000,
        doubts: doubtsOfCrowd(times[name].map(({ othersBusy }) => othersBusy))
      }
    })
  }
}

async function startOnce (bench, subject) {
  await bench.fleet.launch(subject)
  await stop(subject.child)
  const { startMs, othersBusy } = subject
  return { startMs, othersBusy }
}
