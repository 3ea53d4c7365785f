import { Agent, get } from 'node:http'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { command } from '../cli/command.ts'
import { freshSettings, originOf } from '../cli/serving.ts'

t.test('serve ends with the process that was started, however that ends', async t => {
  const settings = await freshSettings(t)
  const killed = command(t, ['serve'], { settings })
  await originOf(killed)
  killed.signal('SIGKILL')
  t.match(await killed.ended, { code: null }, 'both streams are closed: nothing goes on writing to them')

  const stopped = command(t, ['serve'], { settings })
  const origin = await originOf(stopped)
  stopped.signal('SIGTERM')
  t.match(await stopped.ended, { code: 0, stderr: '' }, 'told to stop as soon as it listens')
  await t.rejects(fetch(`${origin}/health/live`))
})

t.test('serve that is told to stop serves on for SHUTDOWN_DELAY, and is not ready', async t => {
  const service = command(t, ['serve'], { settings: { ...await freshSettings(t), SHUTDOWN_DELAY: '3s' } })
  const origin = await originOf(service)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const ask = (path: string) => new Promise<{ status: number | undefined, connection: string | undefined, body: string }>((resolve, reject) => {
    get(origin + path, { agent }, response => {
      text(response).then(body => resolve({ status: response.statusCode, connection: response.headers.connection, body }), reject)
    }).on('error', reject)
  })
  t.match(await ask('/health/ready'), { status: 200, connection: 'keep-alive' })

  const began = performance.now()
  service.signal('SIGTERM')
  await service.says(/"msg":"shutting down"/)
  const notReady = await ask('/health/ready')
  t.match(notReady, { status: 503, connection: 'close', body: /"status":"stopping"/ }, 'on the connection that is kept')
  t.match(await ask('/health/live'), { status: 200, connection: 'close' }, 'and on new ones')
  t.match(await ask('/auth/verify'), { status: 401, connection: 'close' })
  t.match(await ask('/nothing'), { status: 404, connection: 'close' })
  const { code } = await service.ended
  t.equal(code, 0)
  t.ok(performance.now() - began >= 2_900)
  await t.rejects(ask('/health/live'))
})

t.test('serve that is told to stop serves on for a moment without one: a client at work is told to leave, and loses no request', async t => {
  const service = command(t, ['serve'], { settings: await freshSettings(t) })
  const origin = await originOf(service)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const ask = () => new Promise<string | undefined>((resolve, reject) => {
    get(`${origin}/health/live`, { agent }, response => {
      t.equal(response.statusCode, 200)
      response.resume().once('end', () => resolve(response.headers.connection))
    }).on('error', reject)
  })
  t.equal(await ask(), 'keep-alive')
  service.signal('SIGTERM')
  while (await ask() !== 'close');
  t.equal((await service.ended).code, 0)
})
