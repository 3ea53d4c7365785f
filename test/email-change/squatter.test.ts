import t from 'tap'
import { createVerifier } from 'countersign-verifier'
import { onPostgres, testDatabase } from '../support/database.ts'
import { mailsOf } from '../support/inbox.ts'
import { registerClient } from '../support/oauth.ts'
import { present } from '../support/presence.ts'
import { startService, type LoginBody, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'
import { lateRefusal, watched } from '../support/verifiers.ts'
import { ask, newAddress } from './changes.ts'

const NEW = 'a staple of nine words'

for (const way of ['reset', 'invitation'] as const) {
  t.test(`after the owner's ${way} nothing of whoever squatted on the address opens anything: two instances and a follower`, onPostgres, async t => {
    const { url = '' } = await testDatabase(t)
    const [one, two] = [await startService(t, { DATABASE_URL: url }), await startService(t, { DATABASE_URL: url })]
    const { id: clientId, secret: clientSecret } = await registerClient(one)
    const follower = watched(t, createVerifier({
      issuer: two.config.issuer,
      audience: two.config.audience,
      secret: two.config.jwtSecrets,
      revocations: { url: `${await two.listen()}/revocations`, clientId, clientSecret },
      onStale: 'reject',
      maxStaleness: 30
    }))
    await follower.ready()
    const mailed = async (email: string, message: string) => (await Promise.all([mailsOf(one, email), mailsOf(two, email)])).flat().find(mail => mail.message === message)

    const squatter = await one.person()
    const { user: { id }, email } = squatter
    const more = await two.logIn(squatter)
    const cookies = await one.cookiesOf(squatter)
    await one.sql("INSERT INTO identities (id, user_id, provider, issuer, subject) VALUES (gen_random_uuid(), $1::uuid, 'acme', 'https://acme.example', '1')", id)
    const away = newAddress()
    const { body: { requestId } } = await ask(one, squatter, away)
    const pending = await mailed(away, 'email_change')
    t.ok(pending?.token)
    t.equal(await lateRefusal(() => follower.verify(squatter.accessToken)), undefined, 'until then')

    if (way === 'reset') await one.call('POST /auth/password/forgot', { json: { email } })
    else await one.call(`POST /admin/users/${id}/invite`, present(await one.admin()))
    const link = await mailed(email, way === 'reset' ? 'password_reset' : 'invitation')
    t.equal((await one.call('POST /auth/password/reset', { json: { token: link?.token, newPassword: NEW } })).status, 204)

    await until(async () => (await two.call('GET /auth/verify', { token: squatter.accessToken })).status === 401)
    for (const service of [one, two]) {
      for (const { accessToken, refreshToken } of [squatter, more]) {
        t.equal((await service.call('GET /auth/me', { token: accessToken })).status, 401)
        t.equal((await service.call('POST /auth/refresh', { json: { refreshToken } })).status, 401)
      }
      t.equal((await service.call('GET /auth/me', { cookies })).status, 401)
      t.equal((await service.call('POST /auth/login', { json: { email, password: squatter.password } })).status, 401)
      await opensNothing(service, { token: pending?.token }, squatter)
      await opensNothing(service, { requestId, code: pending?.code }, squatter)
    }
    for (const { accessToken } of [squatter, more]) await until(async () => await lateRefusal(() => follower.verify(accessToken)) === 'revoked')
    t.strictSame(await one.sql('SELECT 1 FROM identities'), [])
    t.strictSame(await one.sql('SELECT 1 FROM users WHERE email = $1', away), [])
    const { body } = await two.call<LoginBody>('POST /auth/login', { json: { email, password: NEW } })
    t.match(body.user, { id, email, emailVerified: true })
    t.equal(await lateRefusal(() => follower.verify(body.accessToken)), undefined)

    async function opensNothing (service: TestService, proof: object, { accessToken: token, refreshToken, password }: typeof squatter) {
      for (const more of [{ json: { ...proof, password } }, { json: { ...proof, refreshToken } }, { json: proof, token }]) {
        const { status } = await service.call('POST /auth/email/change/confirm', more)
        t.ok(status === 400 || status === 401, `${status}`)
      }
    }
  })
}
