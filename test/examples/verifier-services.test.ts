import t, { type Test } from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { registerClient } from '../support/clients.ts'
import { freePort } from '../support/free-port.ts'
import { startService } from '../support/service.ts'
import { until } from '../support/until.ts'
import { ask, startExample } from './example.ts'

const jwtSecret = generateSecret()

/** The service, on a port of its own, and an example that has been registered there as a client. */
async function startBoth (t: Test, file: string) {
  const port = await freePort()
  const countersign = `http://127.0.0.1:${port}`
  const service = await startService(t, { JWT_SECRET: jwtSecret, PUBLIC_URL: countersign })
  await service.app.listen({ host: '127.0.0.1', port })
  const { id, secret } = await registerClient(service.database, 'revocations:read', 'introspect')
  const origin = await startExample(t, file, { COUNTERSIGN_URL: countersign, JWT_SECRET: jwtSecret, CLIENT_ID: id, CLIENT_SECRET: secret })
  return { service, origin }
}

for (const { file, path } of [{ file: 'cart-service/service.js', path: '/cart' }, { file: 'express-service/service.js', path: '/orders' }]) {
  t.test(file, async t => {
    const { service, origin } = await startBoth(t, file)
    const ada = await service.person()
    await until(async () => (await ask(origin + path, ada.accessToken)).status === 200)

    t.test('recognises users, and nobody else', async t => {
      t.match((await ask(origin + path, ada.accessToken)).body, { of: ada.user.id })
      t.match(await ask(origin + path), { status: 401, body: { code: 'unauthenticated' } })
      t.match(await ask(origin + path, `${ada.accessToken}x`), { status: 401, body: { code: 'invalid_token' } })
    })

    t.test('tells admins from others', async t => {
      const root = await service.admin()
      t.match(await ask(`${origin}/statistics`, ada.accessToken), { status: 403, body: { code: 'forbidden' } })
      t.equal((await ask(`${origin}/statistics`, root.accessToken)).status, 200)
    })

    if (path === '/cart') {
      t.test('keeps a cart for each, and empties it at the checkout', async t => {
        const post = async (path: string, item?: string) => {
          const headers = { authorization: `Bearer ${ada.accessToken}`, ...item !== undefined && { 'content-type': 'application/json' } }
          const answer = await fetch(origin + path, { method: 'POST', headers, ...item !== undefined && { body: JSON.stringify(item) } })
          return await answer.json() as unknown
        }
        t.same(await post('/cart', 'a book'), { of: ada.user.id, items: ['a book'] })
        t.same(await post('/checkout'), { of: ada.user.id, bought: ['a book'] })
        t.same((await ask(`${origin}/cart`, ada.accessToken)).body, { of: ada.user.id, items: [] })
      })
    }

    t.test('refuses within a moment who has logged out', async t => {
      const { accessToken } = await service.logIn(ada)
      t.equal((await ask(origin + path, accessToken)).status, 200)
      await service.call('POST /auth/logout', { token: accessToken })
      const took = await until(async () => (await ask(origin + path, accessToken)).status === 401)
      t.ok(took < 1_000, `${took.toFixed(0)} ms`)
    })
  })
}
