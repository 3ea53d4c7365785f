import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t from 'tap'
import { startStandIn } from '../support/stand-in.ts'
import { until } from '../support/until.ts'
import { CREDENTIALS, OPTIONS } from '../support/verifiers.ts'

// What a listener throws is nobody's to catch: a process of its own tells what became of it.
const FOLLOWER = `
  import { createVerifier } from 'countersign-verifier'
  const say = what => console.log(JSON.stringify(what))
  process.on('uncaughtException', error => say({ uncaught: error.message }))
  const verifier = createVerifier(JSON.parse(process.env.OPTIONS))
  for (const name of ['keys', 'sync', 'revocation', 'fresh', 'stale', 'warning']) {
    verifier.events.on(name, () => { throw new Error(name) })
  }
  verifier.events.on('revocation', ({ id }) => say({ heardOf: id }))
  await verifier.ready()
  say({ ready: true })
`

t.test('a listener that throws takes nothing from the others, and the verifier goes on', async t => {
  const service = await startStandIn(t)
  const options = { ...OPTIONS, jwksUri: service.url('/jwks.json'), revocations: { url: service.url('/revocations'), ...CREDENTIALS }, maxStaleness: 30, onStale: 'reject' }
  const child = spawn(process.execPath, ['--input-type=module', '--eval', FOLLOWER], { env: { PATH: process.env.PATH, OPTIONS: JSON.stringify(options) }, stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill()
    await exited
  })
  const lines: string[] = []
  createInterface(child.stdout).on('line', line => lines.push(line))
  const says = (what: object) => until(() => lines.includes(JSON.stringify(what)))

  const connection = await service.connected()
  connection.sync()
  await Promise.all([says({ ready: true }), says({ uncaught: 'sync' }), says({ uncaught: 'fresh' }), says({ uncaught: 'keys' })])
  for (const id of ['first', 'second']) {
    connection.revoke({ kind: 'session', id, expiresAt: Date.now() / 1000 + 60 })
    await says({ heardOf: id })
  }
  await says({ uncaught: 'revocation' })
  t.equal(service.connections.length, 1, 'the feed is the one that it began with')
})
