import t from 'tap'
import { blocksOf, readPage } from '../docs/markdown.ts'
import { needs } from './support/command.ts'
import { bearer, cookie, forgeries } from './support/credentials.ts'
import { startGateway } from './support/gateway.ts'
import { nginx } from './support/gateways.ts'
import { ALLOWED_ORIGIN, openWorld } from './support/world.ts'

const [, section = ''] = (await readPage('docs/gateways.md')).split('### A service that answers preflights itself')
const [fragment] = blocksOf(section)

t.test('nginx passes preflights on to services that are named', await needs('nginx'), async t => {
  const [map, rest] = fragment?.text.split(/\n(?=error_page)/) ?? []
  const world = await openWorld(t)
  const [ours, above] = ['  server {\n', '    if ($is_preflight)']
  await startGateway(t, world.places, nginx([ours, `${map}\n${ours}`], [above, `${rest}\n${above}`]))
  const { ask, ada, countersign } = world
  const preflight = [['Origin', ALLOWED_ORIGIN], ['Access-Control-Request-Method', 'PUT']] as const
  const credentials = [bearer(ada.accessToken), cookie(await countersign.cookiesOf(ada), 'theme=dark')]

  t.test('with nothing of who sends them', async t => {
    for (const forged of forgeries('admin')) {
      const { status, headers, seen } = await ask('OPTIONS /reports/2026?page=2', { headers: [...preflight, ...credentials, ...forged], body: Buffer.from('{}') })
      t.match({ status, ...seen }, { status: 200, method: 'OPTIONS', url: '/reports/2026?page=2', bytes: 0 })
      const { HTTP_HOST, HTTP_CONNECTION, ...handed } = seen?.headers ?? {}
      t.strictSame(handed, { HTTP_ORIGIN: ALLOWED_ORIGIN, HTTP_ACCESS_CONTROL_REQUEST_METHOD: 'PUT' })
      t.strictSame(headers['access-control-allow-origin'], ['*'], 'the answer is the service\'s')
    }
  })

  t.test('and to no other, nor anything but preflights', async t => {
    for (const path of ['/node/orders', '/reports/../node/orders', '/node/orders/../../reports/2026', '/reports/%2e%2e/node/orders']) {
      t.match(await ask(`OPTIONS ${path}`, { headers: preflight }), { reached: false }, path)
    }
    t.match(await ask('OPTIONS /reports/2026'), { status: 401, reached: false })
    t.match(await ask('PUT /reports/2026', { headers: preflight }), { status: 401, reached: false })
  })
})
