// fastify + @fastify/jwt + argon2, as their READMEs put them together.
import fastifyJwt from '@fastify/jwt'
import argon2 from 'argon2'
import fastify from 'fastify'
import { AUDIENCE, ISSUER, claimsFor } from './claims.js'
import { openUsers } from './users.js'

const { PORT, DATABASE_URL, JWT_SECRET, LOG_LEVEL, JWT_CACHE } = process.env
const argon2Options = {
  memoryCost: Number(process.env.ARGON2_MEMORY_KIB),
  timeCost: Number(process.env.ARGON2_ITERATIONS),
  parallelism: Number(process.env.ARGON2_PARALLELISM)
}

const users = await openUsers(DATABASE_URL)
const app = fastify({ logger: { level: LOG_LEVEL } })

await app.register(fastifyJwt, {
  secret: JWT_SECRET,
  verify: { algorithms: ['HS256'], allowedIss: ISSUER, allowedAud: AUDIENCE, requiredClaims: ['exp'], cache: JWT_CACHE === 'on' ? 10_000 : false }
})

const authenticate = request => request.jwtVerify()
const accessToken = user => ({ accessToken: app.jwt.sign(claimsFor(user)) })

app.post('/register', async (request, reply) => {
  const user = await users.add(request.body.email, await argon2.hash(request.body.password, argon2Options))
  return reply.code(201).send(accessToken(user))
})

app.post('/login', async (request, reply) => {
  const user = await users.findByEmail(request.body.email)
  if (!user || !await argon2.verify(user.password_hash, request.body.password)) return reply.code(401).send({ code: 'invalid_credentials' })
  return accessToken(user)
})

app.get('/open', async () => ({ hello: 'world' }))
app.get('/guarded', { onRequest: authenticate }, async () => ({ hello: 'world' }))

await app.listen({ host: '127.0.0.1', port: Number(PORT) })
