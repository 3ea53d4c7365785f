// The main entry alone says nothing of `request.user`: whose it is, is the host's to say.
import Fastify from 'fastify'
import countersign from 'countersign'

const app = Fastify()
await app.register(countersign)

app.get('/mine', { onRequest: app.authenticate }, request => {
  // @ts-expect-error nobody has declared it
  return request.user
})
