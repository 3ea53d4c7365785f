// What verifying an EdDSA token costs: no cache ÷ one raw Ed25519 verification of it, in one process.
import { fileURLToPath } from 'node:url'
import { doubtsOfCrowd } from '../harness/load.js'
import { ask, startNode, stop } from '../harness/processes.js'
import { summarize, summarizeRatios } from '../harness/statistics.js'

const RACE = fileURLToPath(new URL('../servers/eddsa-race.js', import.meta.url))

export const eddsa = {
  title: 'verifying one EdDSA token ÷ one raw Ed25519 verification',
  async run ({ settings, cores }) {
    const race = startNode(RACE, { core: cores?.server, ipc: true })
    const { results: { raw, verified }, waited } = await ask(race, { rounds: settings.coreRounds, roundMs: settings.coreRoundMs })
    await stop(race)
    return [{
      what: 'verify, no cache ÷ raw Ed25519',
      subject: 'countersign-verifier',
      target: '≤ 2.2',
      ratio: summarizeRatios(verified, raw),
      detail: `${summarize(verified).median.toFixed(1)} ÷ ${summarize(raw).median.toFixed(1)} µs`,
      doubts: doubtsOfCrowd([waited])
    }]
  }
}
