import t from 'tap'
import { needs } from './support/command.ts'
import { startGateway } from './support/gateway.ts'
import { passesTable } from './support/table.ts'
import { openWorld } from './support/world.ts'

t.test('HAProxy asks who it is before it lets anybody in', await needs('haproxy'), async t => {
  const world = await openWorld(t)
  await startGateway(t, world.places, {
    files: ['haproxy.cfg', 'haproxy-countersign.lua'],
    command: ['haproxy', '-db', '-f', 'haproxy.cfg'],
    edits: ({ listen }) => [['bind :8080', `bind 127.0.0.1:${listen}`], ['abns@questions', `abns@questions-${listen}`]]
  })
  await passesTable(t, world, { cookies: 'takes ours out', manyCookies: { inOne: 400, inSeveral: 400 } })
})
