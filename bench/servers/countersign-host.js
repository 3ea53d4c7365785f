// A host application: Countersign as a plugin, configured by the environment, and two routes of its own.
import fastify from 'fastify'
import { countersign } from '../../dist/index.js'

const { PORT, LOG_LEVEL } = process.env
const app = fastify({ logger: { level: LOG_LEVEL } })

await app.register(countersign)

app.get('/open', async () => ({ hello: 'world' }))
app.get('/guarded', { onRequest: app.authenticate }, async () => ({ hello: 'world' }))

await app.listen({ host: '127.0.0.1', port: Number(PORT) })
