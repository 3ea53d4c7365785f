import { once } from 'node:events'
import Fastify from 'fastify'
import t from 'tap'
import verifier from 'countersign-verifier/fastify'
import { until } from '../support/until.ts'
import { goodToken, OPTIONS } from '../support/verifiers.ts'

const elsewhere = { authorization: `Bearer ${goodToken()}` }
const options = { ...OPTIONS, audience: 'billing' }

t.test('in an app without a logger, what an operator should know is a warning of the process', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(verifier, options)
  app.get('/', { onRequest: app.authenticate }, () => 'ok')
  const warned = once(process, 'warning')
  t.equal((await app.inject({ url: '/', headers: elsewhere })).statusCode, 401)
  t.match(await warned, [{ name: 'CountersignWarning', code: 'settings', message: /audience billing/ }])
})

t.test('in an app with one it goes to the log, as far as that wants warnings', async t => {
  const warnings: Error[] = []
  const hear = (warning: Error) => warnings.push(warning)
  process.on('warning', hear)
  t.teardown(() => process.off('warning', hear))
  for (const [level, lines] of [['warn', 1], ['silent', 0]] as const) {
    const log: string[] = []
    const app = Fastify({ logger: { level, stream: { write: line => { log.push(line) } } } })
    t.teardown(() => app.close())
    await app.register(verifier, options)
    app.get('/', { onRequest: app.authenticate }, () => 'ok')
    await app.inject({ url: '/', headers: elsewhere })
    await until(() => log.length === lines)
    for (const line of log) t.match(JSON.parse(line), { code: 'settings', msg: /audience billing/ })
  }
  t.strictSame(warnings.filter(({ name }) => name === 'CountersignWarning'), [])
})
