// A host over HTTP/2, with the plugin and the verifier. It compiles only if guards stand on its routes too.
import type { Http2SecureServer, Http2Server } from 'node:http2'
import Fastify, { type FastifyInstance } from 'fastify'
import countersign, { authenticate, authorize, type Guard, type Principal } from 'countersign'
import verifier, { authenticate as verify, authorize as verifyRole, authorizeClient } from 'countersign-verifier/fastify'
import { expectType } from '../expect-type.ts'

const app = Fastify({ http2: true })
const secure = Fastify({ http2: true, https: {} })
expectType<Http2Server>()(app.server, true)
expectType<Http2SecureServer>()(secure.server, true)

await app.register(countersign, {})
await secure.register(verifier, { issuer: 'https://auth.example.com', audience: 'api', secret: 's' })

app.get('/mine', { onRequest: authenticate }, request => {
  expectType<Principal | null>()(app.countersign.principal(request), true)
})
app.get<{ Params: { id: string } }>('/things/:id', { onRequest: [authenticate], preValidation: authorize('user'), preHandler: [authorize('admin', 'user')] }, request => request.params.id)
app.get('/decorated', { onRequest: app.countersign.authenticate, preHandler: app.countersign.authorize('admin') }, () => 'fine')
app.addHook('onRequest', authenticate)
app.addHook('preHandler', authorize('admin'))

secure.get('/mine', { onRequest: verify }, request => secure.verifier.principal(request)?.id)
secure.get<{ Reply: { 200: string } }>('/admin', { onRequest: [verifyRole('admin')], preHandler: secure.verifier.authorize('admin') }, () => 'fine')
secure.get('/service', { preValidation: authorizeClient('orders:read') }, request => secure.verifier.client(request)?.id)
secure.addHook('onRequest', verify)

expectType<Guard>()(authenticate, true)
// @ts-expect-error there is no such role
authorize('root')
// @ts-expect-error no role at all would let nobody in
authorize()

declare const plain: FastifyInstance
plain.get('/mine', { onRequest: authenticate }, () => 'fine')
plain.get('/theirs', { onRequest: [verify, authorizeClient()] }, () => 'fine')
