// How much of the machine's argon2 a login service turns into logins: logins/s ÷ bare verifications/s of such a hash, on the same core.
import { fileURLToPath } from 'node:url'
import { demandSuccess, doubtsOf, postJson } from '../harness/load.js'
import { ask, startNode, stop } from '../harness/processes.js'
import { interleave, summarize, summarizeRatios } from '../harness/statistics.js'

const RAW = fileURLToPath(new URL('../servers/raw-argon2.js', import.meta.url))

export const logins = {
  title: 'logins/s ÷ bare argon2 verifications/s',
  async run (bench) {
    const { loginRounds: rounds, loginSeconds: seconds, loginConnections: connections } = bench.settings
    const raw = startNode(RAW, { core: bench.cores?.server, env: bench.argon2, ipc: true })
    const rows = []
    for (const subject of await bench.running(['service', 'limited', 'fastify'])) {
      const { name } = subject
      await defineLogins(bench.loader, subject)
      const login = async () => {
        const result = await bench.loader.run(subject, { head: '', list: `${name} logins`, connections, seconds })
        demandSuccess(result, subject, 'login')
        return result
      }
      await login()
      const results = await interleave(rounds, { login, bare: () => ask(raw, { seconds }) })
      const loginsPerSecond = results.login.map(ratePerSecond)
      const barePerSecond = results.bare.map(result => result.perSecond)
      rows.push({
        what: 'logins ÷ bare argon2',
        subject: subject.title,
        target: name === 'service' ? '≥ 0.95' : '',
        ratio: summarizeRatios(loginsPerSecond, barePerSecond),
        detail: `${summarize(loginsPerSecond).median.toFixed(1)} ÷ ${summarize(barePerSecond).median.toFixed(1)} per s`,
        logins: summarize(loginsPerSecond),
        bare: summarize(barePerSecond),
        doubts: doubtsOf(results.login)
      })
    }
    await stop(raw)
    return rows
  }
}

// So few fit in a round that one more or less would show: all answers over the time the last of them took.
function ratePerSecond ({ statuses, wallSeconds }) {
  return statuses[200] / wallSeconds
}

/** Every user's login, as whole requests. */
export async function defineLogins (loader, { name, users, routes }) {
  const items = users.map(({ email, password }) => postJson(routes.login, { email, password }))
  await loader.define(`${name} logins`, { items })
}
