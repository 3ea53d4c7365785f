// What a guard costs in a service that verifies for itself: the cart of examples/, as it stands. And what it installs.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { registerVerifier } from '../harness/clients.js'
import { freePort, startNode, stop } from '../harness/processes.js'
import { measureCold, measureWarm } from './guard.js'
import { logIn } from './revocation.js'

const CART = fileURLToPath(new URL('../../examples/cart-service/service.js', import.meta.url))
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const START_LIMIT_MS = 20_000

export const cart = {
  title: 'guarded ÷ unguarded route of the cart example',
  async run (bench) {
    const [service] = await bench.running(['service'])
    if (!service) return []
    const subject = await startCart(bench, service)
    const warm = await measureWarm(bench, subject, { target: '', what: 'cart, tokens seen before' })
    const cold = await measureCold(bench, subject, { target: '≥ 0.70', what: 'cart, every token new', fastest: warm.guarded.max })
    await stop(subject.child)
    return [warm, cold, installedSize()]
  }
}

async function startCart ({ cores }, service) {
  const port = await freePort()
  const env = { ...await registerVerifier(service, 'revocations:read introspect'), NODE_ENV: 'production', PORT: String(port) }
  const child = startNode(CART, { env, core: cores?.server })
  const subject = { ...service, name: 'cart', title: 'cart example', mint: 'countersign', routes: { guarded: '/cart', open: '/prices' }, port, child }
  // Not one that was given out earlier: a storm of logins ends the oldest sessions of a user.
  const token = await logIn(service, service.users[0])
  let status
  // 503 until its verifier has heard from the feed.
  for (const limit = performance.now() + START_LIMIT_MS; performance.now() < limit && child.exitCode === null; await sleep(20)) {
    status = await fetch(`http://127.0.0.1:${port}/cart`, { headers: { authorization: `Bearer ${token}` } }).then(answer => answer.status, () => undefined)
    if (status === 200) return subject
  }
  await stop(child)
  throw new Error(`The cart did not come to accept a token (last answer ${status}):\n${child.output}`)
}

function installedSize () {
  const [{ unpackedSize, entryCount }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--workspace', 'countersign-verifier'], { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  return { what: 'installed size, KB', subject: 'countersign-verifier', target: '', value: { median: unpackedSize / 1000, rounds: 1 }, detail: `${entryCount} files, no dependency` }
}
