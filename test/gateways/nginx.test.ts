import t from 'tap'
import { needs } from './support/command.ts'
import { startGateway } from './support/gateway.ts'
import { passesTable } from './support/table.ts'
import { openWorld } from './support/world.ts'

// Where nginx keeps what it cannot pass on at once, which is otherwise a place for root alone.
const PLACES = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${name};`).join(' ')

t.test('nginx asks who it is before it lets anybody in', await needs('nginx'), async t => {
  const world = await openWorld(t)
  await startGateway(t, world.places, {
    files: ['nginx.conf'],
    command: ['nginx', '-p', '.', '-c', 'nginx.conf', '-g', 'daemon off; master_process off; error_log stderr error;'],
    edits: ({ listen }) => [['listen 8080;', `listen 127.0.0.1:${listen};`], ['access_log off;', `access_log off; ${PLACES}`]]
  })

  t.test('and answers no question of its own to anybody outside', async t => {
    t.equal((await world.ask('GET /countersign')).status, 404)
  })

  await passesTable(t, world, { cookies: 'takes ours out', manyCookies: { inOne: 400, inSeveral: 200 }, signIn: 'by redirect' })
})
