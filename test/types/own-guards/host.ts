// A host with a user and an `authenticate` of its own, both typed. Importing the main entry changes neither.
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import countersign, { type Countersign, type Principal } from 'countersign'
import { expectType } from '../expect-type.ts'

interface OwnUser {
  name: string
}

type OwnGuard = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

declare module 'fastify' {
  interface FastifyRequest {
    user: OwnUser
    principal: Principal
  }
  interface FastifyInstance {
    authenticate: OwnGuard
    requireLogin: Countersign['authenticate']
  }
}

const app = Fastify()
app.decorate('authenticate', async () => {})
await app.register(countersign, { decorators: { user: 'principal', authenticate: 'requireLogin' } })

expectType<OwnGuard>()(app.authenticate, true)

app.get('/mine', { onRequest: app.requireLogin }, request => {
  expectType<OwnUser>()(request.user, true)
  expectType<Principal>()(request.principal, true)
  expectType<Principal | null>()(app.countersign.principal(request), true)
  return request.principal.id
})
