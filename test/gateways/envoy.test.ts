import t from 'tap'
import { needs } from './support/command.ts'
import { startGateway } from './support/gateway.ts'
import { passesTable } from './support/table.ts'
import { openWorld } from './support/world.ts'

t.test('Envoy with a script asks who it is before it lets anybody in', await needs('envoy'), async t => {
  const world = await openWorld(t)
  await startGateway(t, world.places, {
    files: ['envoy.yaml'],
    command: ['envoy', '-c', 'envoy.yaml', '--log-level', 'error', '--concurrency', '1', '--use-dynamic-base-id'],
    edits: ({ listen, countersign, service }) => [
      ['address: 0.0.0.0, port_value: 8080', `address: 127.0.0.1, port_value: ${listen}`],
      ['port_value: 3000', `port_value: ${countersign}`],
      ['port_value: 4000', `port_value: ${service}`]
    ]
  })
  await passesTable(t, world, { cookies: 'takes ours out', manyCookies: { inOne: 200, inSeveral: 200 } })
})
