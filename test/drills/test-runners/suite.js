/* global afterAll, beforeAll, expect, test */
// What a host's tests do with the plugin and the verifier, in the words that jest and vitest share. Both run a file with a global
// object of its own, while Node's modules keep theirs.
import { randomBytes } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import countersign from 'countersign'
import { createVerifier, InvalidToken } from 'countersign-verifier'
import { createGuards } from 'countersign-verifier/express'
import verifier, { authenticate } from 'countersign-verifier/fastify'
import express from 'express'
import Fastify from 'fastify'

const SECRET = randomBytes(48).toString('base64url')
const ISSUER = 'http://localhost:3000'
const credentials = { email: 'ada@example.com', password: 'correct horse battery' }
const log = []

async function host (options) {
  const app = Fastify({ logger: { level: 'error', stream: { write: line => log.push(JSON.parse(line)) } }, pluginTimeout: 60_000 })
  await app.register(countersign, { dataDir: await mkdtemp(join(tmpdir(), 'countersign-runner-')), publicUrl: ISSUER, jwtSecrets: [SECRET], secrets: [randomBytes(48).toString('base64url')], ...options })
  app.get('/mine', { onRequest: app.authenticate }, ({ user }) => ({ id: user.id }))
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, origin }
}

async function call (url, method, { json, text = json && JSON.stringify(json), token, cookie } = {}) {
  const response = await fetch(url, {
    method,
    body: text,
    headers: { ...text && { 'content-type': 'application/json' }, ...token && { authorization: `Bearer ${token}` }, ...cookie && { cookie } }
  })
  const body = await response.text()
  return { status: response.status, type: response.headers.get('content-type'), body: body.startsWith('{') ? JSON.parse(body) : body }
}

const refused = (status, code) => expect.objectContaining({ status, type: expect.stringMatching(/^application\/problem\+json/), body: expect.objectContaining({ status, code }) })

let service
beforeAll(async () => { service = await host() }, 60_000)
afterAll(() => service?.app.close())

test('the plugin', async () => {
  const { app, origin } = service
  const post = (path, given) => call(`${origin}${path}`, 'POST', given)
  const get = (path, given) => call(`${origin}${path}`, 'GET', given)
  const { status, body } = await post('/auth/register', { json: credentials })
  expect(status).toBe(201)
  expect((await get('/auth/verify', { token: body.accessToken })).status).toBe(200)
  expect((await get('/mine', { token: body.accessToken })).body.id).toBe(body.user.id)
  expect((await get('/mine', { token: 'bad' })).status).toBe(401)
  expect(await get('/auth/me', { token: `${body.accessToken.slice(0, -4)}AAAA` })).toEqual(refused(401, 'invalid_token'))
  expect(await get('/auth/me', { cookie: 'access=a; access=b' })).toEqual(refused(401, 'invalid_token'))
  expect(await post('/auth/register', { json: credentials })).toEqual(refused(409, 'email_taken'))
  expect(await post('/auth/register', { text: '{' })).toEqual(refused(400, 'malformed_json'))
  expect(await post('/auth/register', { text: '{"__proto__":1}' })).toEqual(refused(400, 'malformed_json'))
  expect(await post('/auth/register', { json: { email: 1 } })).toEqual(refused(422, 'validation_failed'))
  expect(await post('/auth/register', { json: { ...credentials, password: 'password' } })).toEqual(refused(422, 'weak_password'))
  expect(await post('/auth/register', { json: { name: 'x'.repeat(20_000) } })).toEqual(refused(413, 'body_too_large'))
  expect(await post('/auth/login', { json: { ...credentials, password: 'not the right one' } })).toEqual(refused(401, 'invalid_credentials'))

  let refreshToken = body.refreshToken
  for (let step = 0; step < 2; step++) {
    const refreshed = await post('/auth/refresh', { json: { refreshToken } })
    expect(refreshed.status).toBe(200)
    refreshToken = refreshed.body.refreshToken
  }
  expect(await post('/auth/refresh', { json: { refreshToken: body.refreshToken } })).toEqual(refused(401, 'refresh_token_reused'))
  const session = await app.inject({ method: 'POST', url: '/auth/login', payload: { ...credentials, deliver: 'session' } })
  const cookie = `session=${session.cookies.find(({ name }) => name === 'session').value}`
  expect((await get('/auth/me', { cookie })).status).toBe(200)
  expect((await post('/auth/logout', { cookie: `${cookie}`, text: undefined })).status).toBe(403)
  const loggedOut = await app.inject({ method: 'POST', url: '/auth/logout', headers: { cookie, 'x-countersign': '1' } })
  expect(loggedOut.statusCode).toBe(204)
  expect(await get('/auth/me', { cookie })).toEqual(refused(401, 'invalid_token'))
  expect(log).toEqual([])
}, 60_000)

test('the verifier', async () => {
  const { body: { accessToken, user } } = await call(`${service.origin}/auth/login`, 'POST', { json: credentials })
  const settings = { issuer: ISSUER, audience: 'api', secret: SECRET }
  const own = createVerifier(settings)
  expect(own.verify(accessToken).id).toBe(user.id)
  expect(() => own.verify('bad')).toThrow(InvalidToken)
  await expect(own.authenticate('bad.bad.bad')).rejects.toBeInstanceOf(InvalidToken)

  const app = Fastify()
  await app.register(verifier, { ...settings, publicUrl: ISSUER, revocations: { url: new URL('/revocations', service.origin), clientId: 'client_x', clientSecret: 'wrong' }, maxStaleness: 30, onStale: 'reject' })
  app.verifier.events.on('warning', () => {})
  app.get('/', { onRequest: authenticate }, ({ user }) => user.id)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  expect(await call(origin, 'GET', { token: 'bad' })).toEqual(refused(401, 'invalid_token'))
  expect(await call(origin, 'GET')).toEqual(refused(401, 'unauthenticated'))
  expect(await call(origin, 'GET', { token: accessToken })).toEqual(refused(503, 'unavailable'))
  await app.close()

  const keys = createVerifier({ issuer: ISSUER, audience: 'api', jwksUri: 'http://127.0.0.1:1/jwks' })
  keys.events.on('warning', () => {})
  const guards = createGuards({ verifier: keys })
  const server = express().get('/', guards.authenticate, (request, response) => response.send(request.user.id)).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const there = `http://127.0.0.1:${server.address().port}`
  expect(await call(there, 'GET', { token: accessToken })).toEqual(refused(503, 'unavailable'))
  expect(await call(there, 'GET', { token: 'bad' })).toEqual(refused(401, 'invalid_token'))
  await new Promise(resolve => server.close(resolve))
  keys.close()
}, 60_000)

// The errors of sockets are Node's own.
const database = process.env.RUNNER_DATABASE_URL
if (database !== undefined) {
  test('a lost database', async () => {
    const { hostname, port } = new URL(database)
    const sockets = new Set()
    const wire = createServer(near => {
      const far = connect(Number(port || 5432), hostname)
      for (const socket of [near, far]) sockets.add(socket.on('error', () => {}))
      near.pipe(far).pipe(near)
    })
    await new Promise(resolve => wire.listen(0, '127.0.0.1', resolve))
    const through = new URL(database)
    through.host = `127.0.0.1:${wire.address().port}`
    const { app, origin } = await host({ databaseUrl: through.href })
    const { status } = await call(`${origin}/auth/register`, 'POST', { json: credentials })
    expect(status).toBe(201)
    for (const socket of sockets) socket.resetAndDestroy()
    await new Promise(resolve => wire.close(resolve))
    for (let times = 0; times < 3; times++) expect(await call(`${origin}/auth/login`, 'POST', { json: credentials })).toEqual(refused(503, 'unavailable'))
    await app.close()
  }, 60_000)
}
