// A service that verifies with the express face. It compiles only if the types are right.
import { createServer } from 'node:http'
import express from 'express'
import { createVerifier, type ClientPrincipal, type Principal, type Verifier } from 'countersign-verifier'
import { createGuards, type ExpressGuards } from 'countersign-verifier/express'
import 'countersign-verifier/express/request-user'
import { expectType } from '../expect-type.ts'

const verifier = createVerifier({ issuer: 'https://auth.example.com', audience: 'api', jwksUri: 'https://auth.example.com/.well-known/jwks.json' })
const { authenticate, authorize, principal } = createGuards({ verifier, publicUrl: 'https://auth.example.com' })

const app = express()
app.get('/mine', authenticate, (req, res) => {
  expectType<Principal>()(req.user, true)
  res.json(req.user.id)
})
app.use(authorize('admin', 'user'))
// @ts-expect-error no role at all would let nobody in
authorize()

createServer((req, res) => authenticate(req, res, () => {
  expectType<Principal | null>()(principal(req), true)
  res.end()
}))

expectType<Principal>()(verifier.verify('token'), true)
expectType<Principal | undefined>()(verifier.verifyLocally('token'), true)
expectType<Promise<Principal>>()(verifier.authenticate('token', { credential: 'cookie' }), true)
expectType<Promise<ClientPrincipal>>()(verifier.authenticateClient('token'), true)

const shop = createVerifier({ issuer: 'https://auth.example.com', audience: 'shop', secret: 'the audience key', roles: ['buyer', 'seller'] })
expectType<'buyer' | 'seller'>()(shop.verify('token').role, true)
expectType<Promise<Principal<'buyer' | 'seller'>>>()(shop.authenticate('token'), true)
const ROLES = ['buyer', 'seller'] as const
expectType<Verifier<'buyer' | 'seller'>>()(createVerifier({ issuer: 'https://auth.example.com', audience: 'shop', secret: 'the audience key', roles: ROLES }), true)
// @ts-expect-error there is no such role
createVerifier<'buyer'>({ issuer: 'https://auth.example.com', audience: 'shop', secret: 'the audience key', roles: ['seller'] })
const shopGuards = createGuards({ verifier: shop })
expectType<ExpressGuards<'buyer' | 'seller'>>()(shopGuards, true)
app.use('/shop', shopGuards.authorize('seller'), (req, res) => {
  expectType<Principal<'buyer' | 'seller'> | null>()(shopGuards.principal(req), true)
  res.end()
})
shopGuards.with({ maxStaleness: 5 }).authorize('buyer', 'seller')
// @ts-expect-error the service's role is not one of the shop's
shopGuards.authorize('admin')
expectType<ExpressGuards<'buyer' | 'seller'>>()(createGuards({ issuer: 'https://auth.example.com', audience: 'shop', secret: 'the audience key', roles: ['buyer', 'seller'] }), true)
expectType<ExpressGuards>()(createGuards({ issuer: 'https://auth.example.com', audience: 'shop', secret: 'the audience key' }), true)
// @ts-expect-error there is no such role
createGuards({ verifier }).authorize('root')
verifier.events.on('revocation', ({ kind, id }) => console.log(kind, id))
verifier.events.on('warning', ({ code, message }) => console.warn(code, message))
// @ts-expect-error there is no such event
verifier.events.on('revoked', () => {})
