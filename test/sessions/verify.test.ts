import t from 'tap'
import type { Principal } from '../../verifier/src/index.ts'
import { PASSWORD, startService, type LoginBody } from '../support/service.ts'

t.test('/auth/verify', async t => {
  const service = await startService(t)

  t.test('answers with the whole principal', async t => {
    const { accessToken, user } = await service.person()
    const claims = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()) as Record<string, string | number>
    const { status, headers, body } = await service.call<Principal>('GET /auth/verify', { token: accessToken })
    t.equal(status, 200)
    t.strictSame(body, {
      id: user.id,
      email: user.email,
      emailVerified: false,
      role: 'user',
      sessionId: claims.sid,
      clientId: 'countersign',
      scopes: [],
      tokenId: claims.jti,
      issuedAt: new Date(Number(claims.iat) * 1000).toISOString(),
      expiresAt: new Date(Number(claims.exp) * 1000).toISOString(),
      credential: 'bearer'
    })
    t.equal(headers['cache-control'], 'no-store')
  })

  t.test('tells a gateway the user; the address only once it is verified', async t => {
    const email = 'jürgen+100%@example.com'
    const { status, body: { user, accessToken } } = await service.call<LoginBody>('POST /auth/register', { json: { email, password: PASSWORD } })
    t.equal(status, 201)
    const before = await service.call('GET /auth/verify', { token: accessToken })
    t.match(before.headers, { 'x-auth-user-id': user.id, 'x-auth-role': 'user' })
    t.notOk('x-auth-email' in before.headers)

    await service.sql('UPDATE users SET email_verified = true WHERE id = $1::uuid', user.id)
    const after = await service.call('GET /auth/verify', { token: (await service.logIn({ email, password: PASSWORD })).accessToken })
    t.match(after, { status: 200, body: { email, emailVerified: true }, headers: { 'x-auth-email': 'j%C3%BCrgen%2B100%25%40example.com' } })
  })

  t.test('sends no query', async t => {
    const { accessToken } = await service.person()
    await service.sql('ALTER TABLE users RENAME TO users_away')
    t.teardown(() => service.sql('ALTER TABLE users_away RENAME TO users'))
    t.equal((await service.call('GET /auth/verify', { token: accessToken })).status, 200)
  })

  t.test('never swaps two people who ask in turns', async t => {
    const people = [await service.person(), await service.person(), await service.person()]
    const answers = await Promise.all(Array.from({ length: 60 }, async (_, n) => {
      const person = people[n % people.length]
      const { body } = await service.call<Principal>('GET /auth/verify', { token: person?.accessToken ?? '' })
      return body.id === person?.user.id
    }))
    t.equal(answers.filter(Boolean).length, 60)
  })

  t.test('without a credential is 401, and hands no identity to a gateway', async t => {
    const { status, headers } = await service.call('GET /auth/verify', { headers: { 'x-auth-user-id': 'mallory', 'x-auth-role': 'admin' } })
    t.equal(status, 401)
    t.equal(headers['www-authenticate'], 'Bearer')
    t.notOk(Object.keys(headers).some(name => name.startsWith('x-auth-')))
  })
})
