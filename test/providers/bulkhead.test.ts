import t from 'tap'
import { createBulkhead } from '../../src/providers/bulkhead.ts'
import { createBrowser } from '../support/providers/browser.ts'
import { finishFlow, startFlow } from '../support/providers/sign-in.ts'
import type { Listener } from '../support/providers/provider-server.ts'
import { APP, startWorld } from '../support/providers/world.ts'
import { until } from '../support/until.ts'

const tooBusy = { code: 'too_busy', headers: { 'retry-after': '2' } }

const NOBODY_WAITS = { perProvider: 3, perNetwork: 2, perSecond: Infinity, waitingPerNetwork: 0, waiting: 0, maxWaitMs: 0 }
const PATIENT = { ...NOBODY_WAITS, waitingPerNetwork: 64, waiting: 512, maxWaitMs: 60_000 }

function startTasks ({ run }: ReturnType<typeof createBulkhead>) {
  const finish: Array<(error?: Error) => void> = []
  const start = (provider: string, network: string) => run(provider, network, () => new Promise<void>((resolve, reject) => { finish.push(error => error === undefined ? resolve() : reject(error)) }))
  return { start, finish }
}

t.test('a provider and a network have so many running, and a place is free again when one has ended', async t => {
  const bulkhead = createBulkhead({ limits: NOBODY_WAITS })
  const { start, finish } = startTasks(bulkhead)
  const running = [start('google', 'a'), start('google', 'a')]
  await t.rejects(start('github', 'a'), tooBusy, 'a network, at whichever provider')
  running.push(start('google', 'b'))
  await t.rejects(start('google', 'c'), tooBusy)
  running.push(start('github', 'c'))
  t.equal(finish.length, 4, 'what is refused has not begun')
  finish[0]?.()
  await running[0]
  const next = start('google', 'a')
  finish[1]?.(new Error('broken'))
  await t.rejects(running[1] ?? Promise.resolve(), /broken/)
  for (const end of finish.slice(2)) end()
  await Promise.all([next, ...running.slice(2)])
  await t.resolves(bulkhead.run('google', 'a', async () => {}))
})

t.test('who comes when all places are taken waits for the first that is free, and a network has so many waiting', async t => {
  const { start, finish } = startTasks(createBulkhead({ limits: { ...PATIENT, perNetwork: 1, waitingPerNetwork: 2, waiting: 3 } }))
  const first = start('google', 'a')
  const waiting = [start('google', 'a'), start('google', 'a')]
  await t.rejects(start('google', 'a'), tooBusy)
  const other = start('google', 'b')
  await until(() => finish.length === 2)
  const lastPlace = start('google', 'b')
  await t.rejects(start('google', 'b'), tooBusy, 'so many wait in all')
  for (let i = 0; i < 5; i++) {
    await until(() => finish.length > i)
    finish[i]?.()
  }
  await Promise.all([first, ...waiting, other, lastPlace])
  t.equal(finish.length, 5)
})

t.test('nobody waits for long', async t => {
  const { start, finish } = startTasks(createBulkhead({ limits: { ...NOBODY_WAITS, perNetwork: 1, waitingPerNetwork: 1, waiting: 1, maxWaitMs: 10 } }))
  const running = start('google', 'a')
  await t.rejects(start('google', 'a'), tooBusy)
  t.equal(finish.length, 1)
  finish[0]?.()
  await running
})

t.test('networks take turns, and the one with the most waiting gives way', async t => {
  const { run } = createBulkhead({ limits: { ...PATIENT, perProvider: 1, waiting: 6 } })
  let finish = () => {}
  const order: string[] = []
  const refused: string[] = []
  const running = run('google', 'a', () => new Promise<void>(resolve => { finish = resolve }))
  const come = (name: string) => run('google', name.slice(0, 1), async () => { order.push(name) }).catch(({ code }) => { refused.push(`${name} ${code}`) })
  const outcomes = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1', 'c2', 'a5', 'd1'].map(come)
  await until(() => refused.length === 4)
  finish()
  await Promise.all([running, ...outcomes])
  t.strictSame(order, ['a1', 'b1', 'c1', 'd1', 'b2', 'c2'])
  t.strictSame(refused.sort(), ['a2 too_busy', 'a3 too_busy', 'a4 too_busy', 'a5 too_busy'])
})

t.test('who disconnects leaves the wait, and does not begin', async t => {
  const { run } = createBulkhead({ limits: { ...PATIENT, perNetwork: 1, waitingPerNetwork: 1 } })
  let finish = () => {}
  const running = run('google', 'a', () => new Promise<void>(resolve => { finish = resolve }))
  const client = new AbortController()
  const never = async () => { t.fail('began') }
  const gone = run('google', 'a', never, client.signal)
  client.abort(new Error('gone'))
  await t.rejects(gone, /gone/)
  await t.rejects(run('google', 'a', never, client.signal), /gone/, 'also before it waits')
  const next = run('google', 'a', async () => 'served')
  finish()
  await running
  t.equal(await next, 'served', 'and its place is free')
})

t.test('a provider has so many begin in a second, beside a burst', async t => {
  let now = 0
  const { run } = createBulkhead({ limits: { ...PATIENT, perProvider: 100, perNetwork: 4, perSecond: 100 }, clock: () => now })
  let begun = 0
  const come = (provider: string, network: string) => run(provider, network, async () => { begun++ })
  const outcomes = Array.from({ length: 30 }, (_, n) => come('google', `${n}`))
  t.equal(begun, 4)
  await come('github', 'x')
  t.equal(begun, 5, 'of another provider the rate is its own')
  for (now = 10; now <= 100; now += 10) {
    await come('github', 'x')
    await until(() => begun === 5 + now / 10 * 2)
  }
  for (let expected = begun + 4; expected <= 41; expected += 4) {
    now += 10_000
    await until(() => begun >= expected)
    t.equal(begun, expected, 'a pause saves up no more than a burst')
  }
  await Promise.all(outcomes)
})

t.test('a flood of callbacks with invented codes reaches the provider eight at a time', async t => {
  const { service, github } = await startWorld(t)
  const flows = await Promise.all(Array.from({ length: 20 }, async () => {
    const browser = createBrowser(service)
    const { searchParams } = await startFlow(browser, 'github')
    return { browser, callback: new URL(`/auth/providers/github/callback?code=invented&state=${searchParams.get('state')}`, service.config.publicUrl) }
  }))
  const held: Array<Parameters<Listener>[1]> = []
  github.replace(t, '/login/oauth/access_token', (_request, response) => { held.push(response) })
  const outcomes = flows.map(({ browser, callback }) => finishFlow(browser, callback))
  let most = 0
  for (let answered = 0; answered < flows.length; answered++) {
    await until(() => held.length > answered)
    most = Math.max(most, held.length - answered)
    if (answered === 0) await until(() => held.length === 8)
    held[answered]?.writeHead(401).end('{}')
  }
  for (const { at, page, error } of await Promise.all(outcomes)) t.match({ at, status: page.status, error }, { at: APP, status: 302, error: 'provider_error' })
  t.ok(most <= 8, `${most} at a time`)
})

t.test('a callback that is refused writes nothing', async t => {
  const { service, github } = await startWorld(t)
  const held: Array<Parameters<Listener>[1]> = []
  let isHolding = true
  github.replace(t, '/login/oauth/access_token', (_request, response) => {
    if (isHolding) held.push(response)
    else response.writeHead(401).end('{}')
  })
  const flows = await Promise.all(Array.from({ length: 73 }, async () => {
    const browser = createBrowser(service)
    const { searchParams } = await startFlow(browser, 'github')
    return { browser, callback: new URL(`/auth/providers/github/callback?code=invented&state=${searchParams.get('state')}`, service.config.publicUrl) }
  }))
  const outcomes = flows.map(({ browser, callback }) => finishFlow(browser, callback))
  t.match(await Promise.race(outcomes), { at: APP, error: 'too_busy' })
  await until(() => held.length === 8)
  t.equal((await service.sql("SELECT 1 FROM one_time_tokens WHERE purpose = 'sign_in_flow'")).length, 8)
  isHolding = false
  for (const response of held) response.writeHead(401).end('{}')
  const refused = (await Promise.all(outcomes)).findIndex(({ error }) => error === 'too_busy')
  const again = flows[refused]
  if (again !== undefined) t.match(await finishFlow(again.browser, again.callback), { at: APP, error: 'provider_error' }, 'and it can be loaded again: its flow is not over')
})
