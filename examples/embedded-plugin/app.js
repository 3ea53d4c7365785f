// An app with Countersign as a plugin: one process, one port, no other service.
//
//   PORT=4000 node app.js
//
// Without DATABASE_URL it runs on an embedded Postgres, in DATA_DIR.
import countersign, { authenticate, authorize } from 'countersign'
import Fastify from 'fastify'

const { PORT = '4000' } = process.env

const app = Fastify({ pluginTimeout: 60_000 })

await app.register(countersign, {
  publicUrl: `http://localhost:${PORT}`,
  accessTokenTtl: '5m'
})

app.get('/', () => 'For everybody. Register at POST /auth/register, log in at POST /auth/login.')

app.get('/notes', { onRequest: authenticate }, ({ user }) => ({ notes: [], of: user.email }))

app.get('/statistics', { onRequest: authorize('admin') }, () => ({ users: 'only admins see this' }))

console.log(await app.listen({ port: Number(PORT) }))

process.once('SIGTERM', () => app.close())
