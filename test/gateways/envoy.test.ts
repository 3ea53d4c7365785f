import t from 'tap'
import { needs } from './support/command.ts'
import { startGateway } from './support/gateway.ts'
import { envoy } from './support/gateways.ts'
import { passesTable } from './support/table.ts'
import { openWorld } from './support/world.ts'

t.test('Envoy with a script asks who it is before it lets anybody in', await needs('envoy'), async t => {
  const world = await openWorld(t)
  await startGateway(t, world.places, envoy('envoy.yaml'))
  await passesTable(t, world, { cookies: 'takes ours out', manyCookies: { inOne: 200, inSeveral: 200 } })
})
