import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { clientToken, registerClient } from '../support/oauth.ts'
import { needs } from './support/command.ts'
import { bearer, cookie, forgeries } from './support/credentials.ts'
import { startGateway } from './support/gateway.ts'
import { envoy } from './support/gateways.ts'
import { openWorld } from './support/world.ts'

t.test('Envoy verifies access tokens by the JWK set', await needs('envoy'), async t => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const world = await openWorld(t, { JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() })
  const { ada, ask, countersign } = world
  await startGateway(t, world.places, envoy('envoy-jwt.yaml'))

  t.test('and tells the service whose they are, whatever the client says', async t => {
    for (const forged of forgeries('admin')) {
      const { status, seen } = await ask('GET /node/orders', { headers: [bearer(ada.accessToken), ...forged] })
      t.match({ status, ...seen }, { status: 200, headers: { HTTP_X_AUTH_USER_ID: ada.user.id, HTTP_X_AUTH_ROLE: 'user', HTTP_X_AUTH_EMAIL: undefined, HTTP_AUTHORIZATION: undefined } })
    }
  })

  t.test('lets in no other: nobody, a bad token, a token in the address or a cookie', async t => {
    for (const headers of forgeries('admin')) t.match(await ask('GET /node/orders', { headers }), { status: 401, reached: false })
    t.match(await ask('GET /node/orders', { headers: [bearer(`${ada.accessToken.slice(0, -4)}AAAA`)] }), { status: 401, reached: false })
    t.match(await ask(`GET /node/orders?access_token=${ada.accessToken}`), { status: 401, reached: false })
    t.match(await ask('GET /node/orders', { headers: [cookie(await countersign.cookiesOf(ada))] }), { status: 401, reached: false })
  })

  t.test('nor a service, whose token has no role', async t => {
    const token = await clientToken(countersign, await registerClient(countersign, { scopes: [] }))
    t.match(await ask('GET /node/orders', { headers: [bearer(token), ['X-Auth-Role', 'admin']] }), { status: 403, reached: false })
  })

  t.test('and hears nothing of a logout: the token is good until it expires', async t => {
    const { accessToken } = await countersign.logIn(ada)
    await countersign.call('POST /auth/logout', { token: accessToken })
    t.equal((await countersign.call('GET /auth/verify', { token: accessToken })).status, 401)
    t.match(await ask('GET /node/orders', { headers: [bearer(accessToken)] }), { status: 200, reached: true })
  })
})
