import t from 'tap'
import { needs } from './support/command.ts'
import { startGateway } from './support/gateway.ts'
import { passesTable } from './support/table.ts'
import { openWorld } from './support/world.ts'

t.test('Apache asks who it is before it lets anybody in', await needs('apache2'), async t => {
  const world = await openWorld(t)
  await startGateway(t, world.places, {
    files: ['apache.conf', 'apache-countersign.lua'],
    command: ['sh', '-c', 'exec apache2 -X -d "$PWD" -f "$PWD/apache.conf"'],
    edits: ({ listen }) => [
      ['Listen 8080', `Listen 127.0.0.1:${listen}`],
      ['ErrorLog apache.log', 'ErrorLog |/bin/cat']
    ]
  })
  await passesTable(t, world, { cookies: 'takes ours out', manyCookies: { inOne: 400, inSeveral: 400 } })
})
