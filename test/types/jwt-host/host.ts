// A host with @fastify/jwt, whose types declare `request.user`. It compiles only if the types are right.
import fastifyCookie from '@fastify/cookie'
import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import countersign, { type Principal } from 'countersign'
import { expectType } from '../expect-type.ts'

declare module '@fastify/jwt' {
  interface FastifyJWT {
    user: Principal
  }
}

const app = Fastify()
await app.register(fastifyCookie)
await app.register(fastifyJwt, { secret: 'of the host' })
await app.register(countersign, { jwtSecrets: 'of countersign' })

app.get('/ours', { onRequest: app.authenticate }, request => {
  expectType<Principal>()(request.user, true)
  return request.user.role
})

app.get('/theirs', { onRequest: request => request.jwtVerify() }, request => {
  expectType<Principal | null>()(app.countersign.principal(request), true)
  return request.cookies
})
