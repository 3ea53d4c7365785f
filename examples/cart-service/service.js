// A cart service that verifies Countersign's tokens itself, and learns of every logout from the revocation feed.
//
//   countersign clients create --name cart --scope "revocations:read introspect"
//   JWT_SECRET=… CLIENT_ID=client_… CLIENT_SECRET=… PORT=4000 node service.js
import verifier, { authenticate, authorize } from 'countersign-verifier/fastify'
import Fastify from 'fastify'

const { COUNTERSIGN_URL = 'http://localhost:3000', JWT_SECRET, CLIENT_ID, CLIENT_SECRET, PORT = '4000' } = process.env
const { JWT_ISSUER = COUNTERSIGN_URL, JWT_AUDIENCE = 'api' } = process.env

const app = Fastify({ logger: { level: 'warn' } })

await app.register(verifier, {
  issuer: JWT_ISSUER,
  audience: JWT_AUDIENCE,
  secret: JWT_SECRET,
  revocations: { url: `${COUNTERSIGN_URL}/revocations`, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
  // Countersign may be unavailable for a minute before requests are affected.
  maxStaleness: 60,
  onStale: 'reject'
})

app.get('/prices', () => ({ book: 12, pen: 2 }))

const carts = new Map()
const cartOf = ({ id }) => carts.get(id) ?? []

app.get('/cart', { onRequest: authenticate }, ({ user }) => ({ of: user.id, items: cartOf(user) }))

app.post('/cart', { onRequest: authenticate, schema: { body: { type: 'string', maxLength: 100 } } }, ({ user, body }) => {
  carts.set(user.id, [...cartOf(user), body])
  return { of: user.id, items: cartOf(user) }
})

// For payments, revocations older than 10 s are too old: then the token is introspected.
const careful = app.verifier.with({ maxStaleness: 10, onStale: 'introspect' })

app.post('/checkout', { onRequest: careful.authenticate }, ({ user }) => {
  const items = cartOf(user)
  carts.delete(user.id)
  return { of: user.id, bought: items }
})

app.get('/statistics', { onRequest: authorize('admin') }, () => ({ carts: carts.size }))

console.log(await app.listen({ port: Number(PORT) }))

process.once('SIGTERM', () => app.close())
