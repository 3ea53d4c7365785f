import t, { type Test } from 'tap'
import { readPage } from '../docs/markdown.ts'
import { PASSWORD, type LoginBody } from '../support/service.ts'
import { needs } from './support/command.ts'
import { bearer, json } from './support/credentials.ts'
import { startGateway, type Run } from './support/gateway.ts'
import { apache, caddy, envoy, haproxy, nginx } from './support/gateways.ts'
import { CLIENT_ADDRESS } from './support/request.ts'
import { openWorld, type World } from './support/world.ts'

const [, section = ''] = (await readPage('docs/gateways.md')).split('## Behind something that ends TLS')

t.test('behind another proxy each recipe knows who asks', async t => {
  await knows(t, 'nginx', 'nginx', said => nginx(['    client_max_body_size', `${said}\n    client_max_body_size`]))
  await knows(t, 'Caddy', 'caddy', said => caddy(['reverse_proxy 127.0.0.1:3000 {', `reverse_proxy 127.0.0.1:3000 {\n${said}`]))
  await knows(t, 'HAProxy', 'haproxy', said => haproxy(['  option forwardfor\n', `  option forwardfor\n  ${said}\n`]))
  await knows(t, 'Envoy', 'envoy', () => envoy('envoy.yaml'))
  await knows(t, 'Apache', 'apache2', () => apache())
})

/** @param run the recipe, with what the page says */
async function knows (t: Test, name: string, command: string, run: (said: string) => Run): Promise<void> {
  const [, , proxies = '', said = ''] = section.split('\n').find(line => line.startsWith(`| ${name} `))?.split('|').map(cell => cell.trim()) ?? []
  await t.test(name, await needs(command), async t => {
    const world = await openWorld(t, { TRUST_PROXY: proxies })
    const [, code = ''] = said.match(/`([^`]*)`/) ?? []
    await startGateway(t, world.places, run(code.replace('10.0.0.0/8', `${CLIENT_ADDRESS}/32`)))
    for (const list of ['203.0.113.9', '198.51.100.1, 203.0.113.9']) t.equal(await addressOf(world, list), '203.0.113.9', list)
  })
}

async function addressOf ({ ask, ada }: World, forwardedFor: string): Promise<string | undefined> {
  const { headers, body } = json({ email: ada.email, password: PASSWORD })
  const login = await ask('POST /auth/login', { headers: [...headers, ['X-Forwarded-For', forwardedFor]], body })
  const { accessToken } = JSON.parse(login.body) as LoginBody
  const list = JSON.parse((await ask('GET /auth/sessions', { headers: [bearer(accessToken)] })).body) as { items: { ip: string, current: boolean }[] }
  return list.items.find(({ current }) => current)?.ip
}
