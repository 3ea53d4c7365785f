// A service that verifies with the Fastify face. It compiles only if the types are right.
import Fastify from 'fastify'
import type { ClientPrincipal, Principal } from 'countersign-verifier'
import verifier, { authorize, type FastifyVerifier, type Guard, type VerifierGuards } from 'countersign-verifier/fastify'
import 'countersign-verifier/fastify/request-user'
import { expectType } from '../expect-type.ts'

const app = Fastify()

await app.register(verifier, {
  issuer: 'https://auth.example.com',
  audience: 'api',
  secret: ['the current one', 'the one before'],
  revocations: { url: 'https://auth.example.com/revocations', clientId: 'client_x', clientSecret: 'secret' },
  maxStaleness: 30,
  onStale: 'reject',
  decorators: { user: 'user' }
})

// @ts-expect-error whoever follows the feed says what is done while it is gone
app.register(verifier, { issuer: 'i', audience: 'a', secret: 's', revocations: { url: 'u', clientId: 'c', clientSecret: 's' } })
// @ts-expect-error nothing is stale where no feed is followed
app.register(verifier, { issuer: 'i', audience: 'a', secret: 's', onStale: 'reject', maxStaleness: 30 })
// @ts-expect-error there is no such policy
app.register(verifier, { issuer: 'i', audience: 'a', secret: 's', revocations: { url: 'u', token: () => 't' }, onStale: 'ignore', maxStaleness: 30 })
// @ts-expect-error an issuer is needed
app.register(verifier, { audience: 'a', secret: 's' })

app.get('/mine', { onRequest: app.authenticate }, request => {
  expectType<Principal>()(request.user, true)
  // @ts-expect-error a principal does not change
  request.user.role = 'admin'
  return request.user.id
})

const careful = app.verifier.with({ onStale: 'introspect', maxStaleness: 5 })
app.delete('/all', { onRequest: careful.authorize('admin') }, request => {
  expectType<Principal | null>()(app.verifier.principal(request), true)
})
app.get('/for-services', { onRequest: app.verifier.authorizeClient('orders:read') }, request => {
  expectType<ClientPrincipal | null>()(app.verifier.client(request), true)
})
// @ts-expect-error there is no such role
app.authorize('root')
// @ts-expect-error nor for the import
authorize('root')
// @ts-expect-error no role at all would let nobody in
authorize()

type ShopRole = 'buyer' | 'seller'
await app.register(async shop => {
  await shop.register(verifier, { issuer: 'https://auth.example.com', audience: 'shop', secret: 'the audience key', roles: ['buyer', 'seller'], decorators: { authorize: 'requireRole', verifier: 'shopVerifier' } })
  const { principal } = shop.getDecorator<FastifyVerifier<ShopRole>>('shopVerifier')
  shop.get('/stock', { onRequest: authorize<ShopRole>('seller') }, request => {
    expectType<Principal<ShopRole> | null>()(principal(request), true)
  })
  shop.get('/basket', { onRequest: shop.getDecorator<VerifierGuards<ShopRole>['authorize']>('requireRole')('buyer', 'seller') }, () => 'basket')
})
// @ts-expect-error the service's role is not one of the shop's
authorize<ShopRole>('admin')

expectType<FastifyVerifier>()(app.verifier, true)
expectType<Guard>()(app.authenticate, true)
