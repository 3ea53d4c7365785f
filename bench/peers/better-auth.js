// better-auth on Postgres, mounted in fastify as its guide shows; bearer tokens by its own plugin.
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { fromNodeHeaders } from 'better-auth/node'
import { bearer } from 'better-auth/plugins'
import fastify from 'fastify'
import pg from 'pg'

const { PORT, DATABASE_URL, JWT_SECRET, LOG_LEVEL } = process.env

const options = {
  baseURL: `http://127.0.0.1:${PORT}`,
  secret: JWT_SECRET,
  database: new pg.Pool({ connectionString: DATABASE_URL, max: 10 }),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [bearer()]
}
const { runMigrations } = await getMigrations(options)
await runMigrations()
const auth = betterAuth(options)

const app = fastify({ logger: { level: LOG_LEVEL } })

app.route({
  method: ['GET', 'POST'],
  url: '/api/auth/*',
  async handler (request, reply) {
    const answer = await auth.handler(new Request(new URL(request.url, options.baseURL), {
      method: request.method,
      headers: fromNodeHeaders(request.headers),
      body: request.body ? JSON.stringify(request.body) : undefined
    }))
    reply.status(answer.status)
    answer.headers.forEach((value, name) => reply.header(name, value))
    return reply.send(answer.body ? await answer.text() : null)
  }
})

async function authenticate (request, reply) {
  const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) })
  if (!session) return reply.code(401).send({ code: 'invalid_session' })
  request.session = session
}

app.get('/open', async () => ({ hello: 'world' }))
app.get('/guarded', { onRequest: authenticate }, async () => ({ hello: 'world' }))

await app.listen({ host: '127.0.0.1', port: Number(PORT) })
