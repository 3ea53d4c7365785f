// A host without @fastify/jwt. It compiles only if the types are right.
import Fastify from 'fastify'
import countersign, { type Countersign, type CountersignOptions, type Credential, type Principal, type Role } from 'countersign'
import 'countersign/request-user'
import { expectType } from '../expect-type.ts'

const app = Fastify()

await app.register(countersign, {
  databaseUrl: 'postgresql://localhost/app',
  accessTokenTtl: '5m',
  hashConcurrency: 2,
  allowEmbeddedDatabase: true,
  allowedOrigins: ['https://app.example.com'],
  decorators: { user: 'user' },
  prefix: '/identity'
})

const options: CountersignOptions = { jwtSecrets: ['the current one', 'the one before'] }
app.register(countersign, options)

// @ts-expect-error there is no such option
app.register(countersign, { acessTokenTtl: '5m' })
// @ts-expect-error nor such a decorator
app.register(countersign, { decorators: { users: 'people' } })
// @ts-expect-error an option is text, a number, a boolean or a list
app.register(countersign, { accessTokenTtl: new Date() })
// @ts-expect-error where to listen is the host's to say
app.register(countersign, { host: '0.0.0.0' })

app.get('/mine', { onRequest: app.authenticate }, request => {
  expectType<Principal>()(request.user, true)
  expectType<string>()(request.user.id, true)
  expectType<string | null>()(request.user.email, true)
  expectType<boolean>()(request.user.emailVerified, true)
  expectType<Role>()(request.user.role, true)
  expectType<'user' | 'admin'>()(request.user.role, true)
  expectType<Credential>()(request.user.credential, true)
  expectType<readonly string[]>()(request.user.scopes, true)
  // @ts-expect-error a principal does not change
  request.user.role = 'admin'
  // @ts-expect-error nor is there anything else to it
  return request.user.password
})

app.get<{ Params: { id: string } }>('/things/:id', { onRequest: [app.authenticate], preHandler: app.authorize('user', 'admin') }, async request => {
  expectType<string>()(request.params.id, true)
  expectType<Principal | null>()(app.countersign.principal(request), true)
  return request.user.id
})

app.addHook('onRequest', app.authorize('admin'))
// @ts-expect-error there is no such role
app.authorize('root')
// @ts-expect-error no role at all would let nobody in
app.authorize()

expectType<Countersign>()(app.countersign, true)
app.get('/guarded-by-another-name', { onRequest: app.countersign.authenticate }, () => 'fine')
