import t from 'tap'
import { needs } from './support/command.ts'
import { startGateway } from './support/gateway.ts'
import { caddy } from './support/gateways.ts'
import { passesTable } from './support/table.ts'
import { openWorld } from './support/world.ts'

t.test('Caddy asks who it is before it lets anybody in', await needs('caddy'), async t => {
  const world = await openWorld(t)
  await startGateway(t, world.places, caddy())
  await passesTable(t, world, { cookies: 'takes ours out', manyCookies: { inOne: 431, inSeveral: 431 }, signIn: 'by redirect' })
})
