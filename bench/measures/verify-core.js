// What verifying costs without HTTP around it: one token, no cache ÷ one raw HMAC-SHA256 of it, in one process.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { doubtsOfCrowd } from '../harness/load.js'
import { ask, startNode, stop } from '../harness/processes.js'
import { versionsOf } from '../harness/subjects.js'
import { summarize, summarizeRatios } from '../harness/statistics.js'

const RACE = fileURLToPath(new URL('../servers/verify-race.js', import.meta.url))
const VERIFIER = fileURLToPath(new URL('../../verifier/dist/internal.js', import.meta.url))

export const verifyCore = {
  title: 'verifying one token ÷ one raw HMAC-SHA256',
  async run (bench) {
    const race = startNode(RACE, { core: bench.cores?.server, env: { VERIFIER: existsSync(VERIFIER) ? VERIFIER : '' }, ipc: true })
    const { results: { raw, ...contestants }, waited } = await ask(race, { rounds: bench.settings.coreRounds, roundMs: bench.settings.coreRoundMs })
    await stop(race)
    return Object.entries(contestants).map(([name, microseconds]) => ({
      what: 'verify, no cache ÷ raw HMAC-SHA256',
      subject: name === 'countersign-verifier' ? name : versionsOf([name])[0],
      target: name === 'countersign-verifier' ? '≤ 1.5' : '',
      ratio: summarizeRatios(microseconds, raw),
      detail: `${summarize(microseconds).median.toFixed(2)} ÷ ${summarize(raw).median.toFixed(2)} µs`,
      microseconds: summarize(microseconds),
      rawMicroseconds: summarize(raw),
      doubts: doubtsOfCrowd([waited])
    }))
  }
}
