import t, { type Test } from 'tap'
import { blocksOf, readPage } from '../docs/markdown.ts'
import { needs } from './support/command.ts'
import { bearer, json } from './support/credentials.ts'
import { startGateway } from './support/gateway.ts'
import { nginx, haproxy } from './support/gateways.ts'
import { openWorld, type World } from './support/world.ts'

const page = await readPage('docs/gateways.md')
const [, limits = ''] = page.split('## A limit in front of login')

t.test('nginx limits logins by address', await needs('nginx'), async t => {
  const [conf = ''] = fragments('nginx')
  const world = await openWorld(t)
  const [map, limit] = conf.split(/(?=^limit_req )/m)
  await startGateway(t, world.places, nginx(['  server {\n', `${map}\n  server {\n`], ['proxy_read_timeout 10s;', `proxy_read_timeout 10s; ${limit}`]))
  await limitsLogins(t, world)
})

t.test('HAProxy limits logins by address', await needs('haproxy'), async t => {
  const [lines = ''] = fragments('haproxy')
  const world = await openWorld(t)
  await startGateway(t, world.places, haproxy(['  option forwardfor\n', `  option forwardfor\n${lines}`]))
  await limitsLogins(t, world)
})

function fragments (language: string): string[] {
  return blocksOf(limits).filter(block => block.language === language).map(({ text }) => text)
}

async function limitsLogins (t: Test, { ask, ada }: World): Promise<void> {
  const guess = { ...json({ email: ada.email, password: 'a wrong password' }) }
  const statuses = []
  for (let count = 0; count < 40; count++) statuses.push((await ask('POST /auth/login', guess)).status)
  t.equal(statuses[0], 401)
  t.equal(statuses.at(-1), 429)
  t.match(await ask('POST /auth/%6cogin', guess), { status: 429 }, 'however the path is spelt')
  t.match(await ask('GET /node/orders', { headers: [bearer(ada.accessToken)] }), { status: 200 }, 'and nothing else')
}
