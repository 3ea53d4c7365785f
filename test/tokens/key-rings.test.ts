import t from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { startService, type TestService } from '../support/service.ts'

const [jwtOld, jwtNew, old, fresh] = [generateSecret(), generateSecret(), generateSecret(), generateSecret()]
const SETTINGS = { JWT_SECRET: jwtOld, COUNTERSIGN_SECRET: old }

const partOf = <T>(token: string, part: number) => JSON.parse(Buffer.from(token.split('.')[part] ?? '', 'base64url').toString()) as T
const kidOf = (token: string) => partOf<{ kid: string }>(token, 0).kid

t.test('tokens while secrets change', async t => {
  const before = await startService(t, { ...SETTINGS, ACCESS_TOKEN_TTL: '10m', REFRESH_TTL: '90s', REFRESH_IDLE_TTL: '90s' })
  const { accessToken, expiresIn } = await before.person()
  const statusAt = async (service: TestService, token = accessToken) => (await service.call('GET /auth/verify', { token })).status
  t.equal(await statusAt(before), 200)

  t.test('none outlives its session', async t => {
    const { iat, exp } = partOf<{ iat: number, exp: number }>(accessToken, 1)
    t.ok(exp - iat <= 91 && exp - iat > 80, `${exp - iat} s`)
    t.equal(expiresIn, exp - iat)
  })

  t.test('the new ones appended: those of before are good, and the old ones sign', async t => {
    const service = await startService(t, { JWT_SECRET: `${jwtOld},${jwtNew}`, COUNTERSIGN_SECRET: `${old},${fresh}` })
    t.equal(await statusAt(service), 200)
    const own = (await service.person()).accessToken
    t.equal(kidOf(own), kidOf(accessToken))
    t.equal(await statusAt(before, own), 200)
  })

  t.test('the new ones promoted: those of before are good, and the new ones sign', async t => {
    const service = await startService(t, { JWT_SECRET: `${jwtNew},${jwtOld}`, COUNTERSIGN_SECRET: `${fresh},${old}` })
    t.equal(await statusAt(service), 200)
    const own = (await service.person()).accessToken
    t.not(kidOf(own), kidOf(accessToken))
    t.equal(await statusAt(service, own), 200)
  })

  t.test('the old JWT_SECRET dropped: those of before are refused', async t => {
    t.equal(await statusAt(await startService(t, { ...SETTINGS, JWT_SECRET: jwtNew })), 401)
  })

  t.test('the old COUNTERSIGN_SECRET dropped: so they are', async t => {
    t.equal(await statusAt(await startService(t, { ...SETTINGS, COUNTERSIGN_SECRET: fresh })), 401)
  })

  t.test('those for another audience are refused, under the same secrets', async t => {
    t.equal(await statusAt(await startService(t, { ...SETTINGS, JWT_AUDIENCE: 'shop' })), 401)
  })
})
