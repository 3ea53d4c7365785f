import t from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { clientToken, registerClient } from '../support/oauth.ts'
import { startService } from '../support/service.ts'
import { ask, startExample } from './example.ts'

const jwtSecret = generateSecret()

for (const example of ['plain-fastify-jwt', 'jsonwebtoken']) {
  t.test(`${example}: a service that holds JWT_SECRET recognises our tokens as they are`, async t => {
    const service = await startService(t, { JWT_SECRET: jwtSecret })
    const ada = await service.person()
    const origin = await startExample(t, `${example}/service.js`, { JWT_SECRET: jwtSecret, JWT_ISSUER: service.config.issuer })

    t.same(await ask(`${origin}/orders`, ada.accessToken), { status: 200, body: { orders: [], of: ada.user.id, role: 'user' } })
    for (const [what, token] of Object.entries({ none: undefined, nonsense: 'a.b.c', 'a refresh token': ada.refreshToken, tampered: tamper(ada.accessToken), 'a client\'s token': await clientToken(service, await registerClient(service)) })) {
      t.equal((await ask(`${origin}/orders`, token)).status, 401, what)
    }
  })

  t.test(`${example}: it refuses the tokens of another issuer, and of another key`, async t => {
    const service = await startService(t, { JWT_SECRET: jwtSecret, JWT_ISSUER: 'https://somebody.example' })
    const ada = await service.person()
    const elsewhere = await startExample(t, `${example}/service.js`, { JWT_SECRET: jwtSecret, JWT_ISSUER: 'https://auth.example.com' })
    t.equal((await ask(`${elsewhere}/orders`, ada.accessToken)).status, 401)
    const otherKey = await startExample(t, `${example}/service.js`, { JWT_SECRET: generateSecret(), JWT_ISSUER: 'https://somebody.example' })
    t.equal((await ask(`${otherKey}/orders`, ada.accessToken)).status, 401)
  })
}

function tamper (token: string): string {
  const [header, payload = '', signature] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  return [header, Buffer.from(JSON.stringify({ ...claims, role: 'admin' })).toString('base64url'), signature].join('.')
}
