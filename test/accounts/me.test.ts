import t from 'tap'
import { present } from '../support/presence.ts'
import { fieldsOf, isProblem } from '../support/problem.ts'
import { startService, type LoginBody } from '../support/service.ts'

t.test('/auth/me', async t => {
  const service = await startService(t)
  const { call } = service
  type User = LoginBody['user']

  t.test('shows the account and no more', async t => {
    const { user, accessToken } = await service.person()
    const { status, headers, body, text } = await call<User>('GET /auth/me', { token: accessToken })
    t.equal(status, 200)
    t.strictSame(body, user)
    t.equal(headers['cache-control'], 'no-store')
    t.notMatch(text, /hash|argon2|version/i)
  })

  t.test('shows what is true now, not what the token says', async t => {
    const { user, accessToken } = await service.person()
    await service.sql('UPDATE users SET email_verified = true WHERE id = $1::uuid', user.id)
    t.match(await call<User>('GET /auth/me', { token: accessToken }), { status: 200, body: { emailVerified: true } })
  })

  t.test('changes the name, and removes it', async t => {
    const { user, accessToken } = await service.person()
    const renamed = await call<User>('PATCH /auth/me', { token: accessToken, json: { name: 'Countess of Lovelace' } })
    t.equal(renamed.status, 200)
    t.equal(renamed.headers['cache-control'], 'no-store')
    t.strictSame(renamed.body, { ...user, name: 'Countess of Lovelace' })
    t.strictSame((await call<User>('GET /auth/me', { token: accessToken })).body, renamed.body)
    t.match(await call<User>('PATCH /auth/me', { token: accessToken, json: { name: null } }), { status: 200, body: { name: null } })
  })

  t.test('changes nobody else', async t => {
    const [one, other] = [await service.person(), await service.person()]
    await call('PATCH /auth/me', { token: one.accessToken, json: { name: 'Mallory' } })
    t.strictSame((await call<User>('GET /auth/me', { token: other.accessToken })).body, other.user)
  })

  t.test('changes nothing but the name', async t => {
    const { user, accessToken } = await service.person()
    const answer = await call('PATCH /auth/me', { token: accessToken, json: { name: 'x', role: 'admin', email: 'x@example.com', id: user.id, emailVerified: true } })
    isProblem(t, answer, 'validation_failed')
    t.strictSame(fieldsOf(answer), ['email', 'emailVerified', 'id', 'role'])
    for (const json of [{}, { name: '' }, { name: 5 }, { name: ['x'] }, { name: 'x'.repeat(201) }, { name: 'a\0b' }, null, [], 'x']) {
      isProblem(t, await call('PATCH /auth/me', { token: accessToken, json }), 'validation_failed', JSON.stringify(json).slice(0, 20))
    }
    t.strictSame((await call<User>('GET /auth/me', { token: accessToken })).body, user)
  })

  t.test('is 401 when the account was deleted', async t => {
    const { user, accessToken } = await service.person()
    await service.sql('DELETE FROM users WHERE id = $1::uuid', user.id)
    const refused = await call('GET /auth/me', { token: accessToken })
    isProblem(t, refused, 'invalid_token')
    t.equal(refused.headers['www-authenticate'], 'Bearer error="invalid_token"')
    isProblem(t, await call('PATCH /auth/me', { token: accessToken, json: { name: 'x' } }), 'invalid_token')
  })

  for (const target of ['POST /auth/me/delete', 'DELETE /auth/me']) {
    t.test(`clears the cookies of a deleted account, but none beside a refresh token in the body: ${target}`, async t => {
      const cookies = await service.cookiesOf(await service.person())
      const headers = { 'x-countersign': '1' }
      t.match(await call('POST /auth/me/delete', { ...present(await service.person()), cookies, headers }), { status: 204, cookies: {} })
      t.equal((await call('GET /auth/me', { cookies })).status, 200)
      const { status, cookies: cleared } = await call(target, { cookies, headers })
      t.equal(status, 204)
      t.strictSame(Object.keys(cleared).sort(), Object.keys(cookies).sort())
      for (const cookie of Object.values(cleared)) t.match(cookie, { value: '', attributes: ['Max-Age=0'] })
    })
  }

  t.test('is 401 for nobody', async t => {
    for (const target of ['GET /auth/me', 'PATCH /auth/me', 'POST /auth/me/delete', 'DELETE /auth/me', 'HEAD /auth/me']) {
      const { status, headers } = await call(target)
      t.equal(status, 401, target)
      t.equal(headers['www-authenticate'], 'Bearer', target)
    }
  })
})
