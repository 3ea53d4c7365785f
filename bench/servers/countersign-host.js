// A host application: Countersign as a plugin, configured by the environment, and routes of its own: open, guarded, and one
// that shows what of a guard's cost nobody can do without.
import fastify from 'fastify'
import { authenticate, countersign } from '../../dist/index.js'

const { PORT, LOG_LEVEL } = process.env
const app = fastify({ logger: { level: LOG_LEVEL } })

await app.register(countersign)

app.get('/open', async () => ({ hello: 'world' }))
app.get('/guarded', { onRequest: authenticate }, async () => ({ hello: 'world' }))

// The least that remembering tokens can be: nothing expires here, and nothing is ever revoked.
const remembered = new Map()
const remember = (request, reply, done) => {
  const { authorization } = request.headers
  let known = remembered.get(authorization)
  if (known === undefined) remembered.set(authorization, known = { authorization })
  request.user = known
  done()
}
app.get('/remembered', { onRequest: remember }, async () => ({ hello: 'world' }))

await app.listen({ host: '127.0.0.1', port: Number(PORT) })
