import t from 'tap'
import { needs } from './support/command.ts'
import { startGateway } from './support/gateway.ts'
import { apache } from './support/gateways.ts'
import { passesTable } from './support/table.ts'
import { openWorld } from './support/world.ts'

t.test('Apache asks who it is before it lets anybody in', await needs('apache2'), async t => {
  const world = await openWorld(t)
  await startGateway(t, world.places, apache())
  await passesTable(t, world, { cookies: 'takes ours out', manyCookies: { inOne: 400, inSeveral: 400 } })
})
