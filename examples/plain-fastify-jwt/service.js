// A service that verifies Countersign's tokens with @fastify/jwt and the shared JWT_SECRET.
//
//   JWT_SECRET=… PORT=4000 node service.js
//
// It does not learn of logouts: a token is accepted until it expires.
import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'

const { JWT_SECRET, JWT_ISSUER = 'http://localhost:3000', JWT_AUDIENCE = 'api', PORT = '4000' } = process.env

const app = Fastify({ logger: { level: 'warn' } })

await app.register(fastifyJwt, {
  secret: JWT_SECRET,
  verify: {
    algorithms: ['HS256'],
    allowedIss: JWT_ISSUER,
    allowedAud: JWT_AUDIENCE,
    checkTyp: 'at+jwt',
    // A token without sid and role has no user: it is a service's token for itself.
    requiredClaims: ['sub', 'sid', 'role', 'iat', 'exp']
  }
})

app.decorate('authenticate', async (request, reply) => {
  try {
    await request.jwtVerify()
  } catch {
    return reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'Log in first' })
  }
})

app.get('/orders', { onRequest: app.authenticate }, ({ user }) => ({ orders: [], of: user.sub, role: user.role }))

console.log(await app.listen({ port: Number(PORT) }))
