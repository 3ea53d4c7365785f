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
// Each option has the type of its setting.
app.register(countersign, { hashConcurrency: '2', allowEmbeddedDatabase: 'true', jwtSecrets: 'one,another', googleScopes: ['openid', 'email'], cookieSameSite: 'strict' })
app.register(countersign, { databaseUrl: process.env.APP_DATABASE_URL })
// @ts-expect-error a number
app.register(countersign, { hashConcurrency: ['x'] })
// @ts-expect-error a number
app.register(countersign, { hashConcurrency: 'x' })
// @ts-expect-error a duration
app.register(countersign, { accessTokenTtl: new Date() })
// @ts-expect-error a duration has a unit
app.register(countersign, { accessTokenTtl: 300 })
// @ts-expect-error a boolean
app.register(countersign, { allowEmbeddedDatabase: 1 })
// @ts-expect-error one of a few words
app.register(countersign, { cookieSameSite: 'none' })
// @ts-expect-error a list of texts
app.register(countersign, { allowedOrigins: [1] })
// @ts-expect-error a boolean, of an OpenID provider too
app.register(countersign, { openIdProviders: { acme: { trustEmail: 'yes' } } })

app.register(countersign, { environment: false })
app.register(countersign, { environment: { DATABASE_URL: 'postgresql://localhost/app' } })
// @ts-expect-error variables are text
app.register(countersign, { environment: { PORT: 3000 } })
// @ts-expect-error reading it is the default
app.register(countersign, { environment: true })
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
