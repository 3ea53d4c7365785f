import t from 'tap'
import { freePort } from '../support/free-port.ts'
import { needs } from './support/command.ts'
import { startGateway } from './support/gateway.ts'
import { passesTable } from './support/table.ts'
import { openWorld } from './support/world.ts'

t.test('Traefik asks who it is before it lets anybody in', await needs('traefik'), async t => {
  const [world, questions] = [await openWorld(t), await freePort()]
  await startGateway(t, world.places, {
    files: ['traefik.yaml', 'traefik-routes.yaml'],
    command: ['traefik', '--configFile=traefik.yaml'],
    edits: ({ listen }) => [[':8080', `127.0.0.1:${listen}`], ['127.0.0.1:8081', `127.0.0.1:${questions}`]]
  })
  await passesTable(t, world, { cookies: 'drops all', manyCookies: { inOne: 431, inSeveral: 431 }, signIn: 'in its place', waitsForHeaders: true, away: { gone: 502, hung: 504 } })
})
