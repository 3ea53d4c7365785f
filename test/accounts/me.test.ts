import t from 'tap'
import { present } from '../support/presence.ts'
import { fieldsOf, isProblem } from '../support/problem.ts'
import { startService, type LoginBody } from '../support/service.ts'

t.test('/auth/me', async t => {
  const service = await startService(t)
  const { call } = service
  type User = LoginBody['user'] & { locale: string | null, emailUndeliverable: boolean }
  const seenBy = (user: LoginBody['user']): User => ({ ...user, locale: null, emailUndeliverable: false })

  t.test('shows the account and no more', async t => {
    const { user, accessToken } = await service.person()
    const { status, headers, body, text } = await call<User>('GET /auth/me', { token: accessToken })
    t.equal(status, 200)
    t.strictSame(body, seenBy(user))
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
    t.strictSame(renamed.body, { ...seenBy(user), name: 'Countess of Lovelace' })
    t.strictSame((await call<User>('GET /auth/me', { token: accessToken })).body, renamed.body)
    t.match(await call<User>('PATCH /auth/me', { token: accessToken, json: { name: null } }), { status: 200, body: { name: null } })
  })

  t.test('changes the language of mails and pages, and nothing else with it', async t => {
    const { user, accessToken: token } = await service.person()
    for (const locale of ['en', 'de', 'fr', null]) {
      t.strictSame((await call<User>('PATCH /auth/me', { token, json: { locale } })).body, { ...seenBy(user), locale })
      t.strictSame((await call<User>('GET /auth/me', { token })).body.locale, locale)
    }
    t.match(await call<User>('PATCH /auth/me', { token, json: { name: 'Augusta', locale: 'de' } }), { body: { name: 'Augusta', locale: 'de' } })
    t.match(await call<User>('PATCH /auth/me', { token, json: { name: null } }), { body: { name: null, locale: 'de' } })
    for (const locale of ['es', 'DE', 'de-CH', '', 5, ['de'], {}]) isProblem(t, await call('PATCH /auth/me', { token, json: { locale } }), 'validation_failed', JSON.stringify(locale))
    t.match(await call<User>('GET /auth/me', { token }), { body: { locale: 'de' } })
  })

  t.test('has the language that the browser asked for at registration', async t => {
    for (const [header, locale] of [['de-CH, fr;q=0.5', 'de'], ['es', null], ['fr', 'fr'], ['x'.repeat(2000), null]] as const) {
      const { body: { accessToken } } = await call<LoginBody>('POST /auth/register', { json: { email: `${Math.random()}@example.com`, password: 'correct horse battery' }, headers: { 'accept-language': header } })
      t.match(await call<User>('GET /auth/me', { token: accessToken }), { body: { locale } })
    }
  })

  t.test('changes nobody else', async t => {
    const [one, other] = [await service.person(), await service.person()]
    await call('PATCH /auth/me', { token: one.accessToken, json: { name: 'Mallory' } })
    t.strictSame((await call<User>('GET /auth/me', { token: other.accessToken })).body, seenBy(other.user))
  })

  t.test('changes nothing but the name and the language', async t => {
    const { user, accessToken } = await service.person()
    const answer = await call('PATCH /auth/me', { token: accessToken, json: { name: 'x', role: 'admin', email: 'x@example.com', id: user.id, emailVerified: true } })
    isProblem(t, answer, 'validation_failed')
    t.strictSame(fieldsOf(answer), ['email', 'emailVerified', 'id', 'role'])
    for (const json of [{}, { name: '' }, { name: 5 }, { name: ['x'] }, { name: 'x'.repeat(201) }, { name: 'a\0b' }, null, [], 'x']) {
      isProblem(t, await call('PATCH /auth/me', { token: accessToken, json }), 'validation_failed', JSON.stringify(json).slice(0, 20))
    }
    t.strictSame((await call<User>('GET /auth/me', { token: accessToken })).body, seenBy(user))
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

t.test('a name with half of a surrogate pair is refused wherever one is taken; a whole pair is not', async t => {
  const service = await startService(t)
  const [person, admin] = [await service.person(), await service.admin()]
  const take = (name: string) => [
    service.call('POST /auth/register', { json: { email: `name-${name.length}@example.com`, password: person.password, name } }),
    service.call('PATCH /auth/me', { token: person.accessToken, json: { name } }),
    service.call('POST /admin/users', present(admin, { email: `made-${name.length}@example.com`, name }))
  ]
  for (const name of ['\ud83d', '\ude00x', 'a\ud83d b']) for (const answer of await Promise.all(take(name))) t.strictSame([answer.status, fieldsOf(answer as never)], [422, ['name']], JSON.stringify(name))
  t.strictSame((await Promise.all(take('Ada \ud83d\ude00'))).map(({ status }) => status), [201, 200, 201])
})
