import t from 'tap'
import { blocksOf, readPage } from '../docs/markdown.ts'
import { needs } from './support/command.ts'
import { startGateway, type Run } from './support/gateway.ts'
import { apache, envoy, haproxy } from './support/gateways.ts'
import { leavesSignInOpen } from './support/sign-in.ts'
import { openWorld } from './support/world.ts'

const [, section = ''] = (await readPage('docs/gateways.md')).split('## A page open to anybody')
const [inHaproxy = '', inApache = '', inEnvoy = '', route = ''] = blocksOf(section).map(({ text }) => text)
const routes = '                        - match: { prefix: / }\n'

const recipes: Record<string, [command: string, run: Run, above: string, what: string]> = {
  HAProxy: ['haproxy', haproxy(), '  return core.httpclient()', inHaproxy],
  Apache: ['apache2', apache(), '\n  local body = {}\n', inApache],
  'Envoy with a script': ['envoy', envoy('envoy.yaml'), '\n                            local answer, body', inEnvoy.replace(/^(?=.)/gm, ' '.repeat(28))],
  'Envoy without one': ['envoy', envoy('envoy-ext-authz.yaml'), routes, route.replace(/^(?=.)/gm, ' '.repeat(24))]
}

for (const [name, [command, run, above, what]] of Object.entries(recipes)) {
  t.test(`${name} leaves a page open to anybody`, await needs(command), async t => {
    const world = await openWorld(t)
    await startGateway(t, world.places, { ...run, edits: places => [...run.edits?.(places) ?? [], [above, `${what}${above}`]] })
    await leavesSignInOpen(t, world)
    t.match(await world.ask('GET /node/orders'), { status: 401, reached: false }, 'and nothing else')
  })
}
