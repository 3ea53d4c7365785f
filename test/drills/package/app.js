// What a project does with the package: registers somebody, and recognises them. Prints what came of it, as one line of JSON.
import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import countersign from 'countersign'
import { createVerifier } from 'countersign-verifier'
import Fastify from 'fastify'

const app = Fastify({ pluginTimeout: 60_000 })
await app.register(countersign)
app.get('/mine', { onRequest: app.authenticate }, ({ user }) => ({ email: user.email }))
const origin = await app.listen({ host: '127.0.0.1', port: 0 })

const registered = await fetch(`${origin}/auth/register`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery' })
})
const { accessToken } = await registered.json()
const headers = { authorization: `Bearer ${accessToken}` }
const verified = await fetch(`${origin}/auth/verify`, { headers })
const mine = await fetch(`${origin}/mine`, { headers })
const found = await mine.json()
await app.close()

const ours = createRequire(fileURLToPath(import.meta.resolve('countersign')))
const theirs = createRequire(import.meta.url)
console.log(JSON.stringify({
  register: registered.status,
  verify: verified.status,
  mine: found.email,
  oneFastify: realpathSync(ours.resolve('fastify')) === realpathSync(theirs.resolve('fastify')),
  verifier: typeof createVerifier
}))
