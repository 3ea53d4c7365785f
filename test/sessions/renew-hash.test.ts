import argon2 from 'argon2'
import t from 'tap'
import { testDatabase } from '../support/database.ts'
import { PASSWORD, startService } from '../support/service.ts'

t.test('many logins at once while a hash is due for renewal all succeed, and one renewal is stored', async t => {
  const { url, dataDir } = await testDatabase(t)
  const where = { DATA_DIR: dataDir, ...url !== undefined && { DATABASE_URL: url } }
  const before = await startService(t, where)
  const ada = await before.person()
  await before.app.close()

  const after = await startService(t, { ...where, ARGON2_MEMORY_KIB: '8192', HASH_CONCURRENCY: '4' })
  const logins = await Promise.all(Array.from({ length: 12 }, () => after.logIn(ada)))
  for (const { accessToken } of logins) t.equal((await after.call('GET /auth/verify', { token: accessToken })).status, 200)
  const [{ hash = '' } = {}] = await after.sql<{ hash: string }>('SELECT password_hash AS hash FROM users WHERE id = $1::uuid', ada.user.id)
  t.match(hash, /^\$argon2id\$v=19\$m=8192,/)
  await after.logIn(ada)
  t.strictSame(await after.sql('SELECT password_hash AS hash FROM users WHERE id = $1::uuid', ada.user.id), [{ hash }])
})

t.test('a login goes well however often the hash is renewed meanwhile, and not where the password is another', async t => {
  const service = await startService(t)
  const ada = await service.person()
  const setHash = async (password: string) => {
    const hash = await argon2.hash(password, { memoryCost: 7168, timeCost: 1, parallelism: 1 })
    await service.sql('UPDATE users SET password_hash = $2 WHERE id = $1::uuid', ada.user.id, hash)
  }
  for (const [last, status] of [[PASSWORD, 200], ['another staple of nine words', 401]] as const) {
    let held = service.hold('sessions.open')
    const answer = service.call('POST /auth/login', { json: { email: ada.email, password: PASSWORD } })
    for (const password of [PASSWORD, PASSWORD, last]) {
      await held.reached
      await setHash(password)
      const before = held
      held = service.hold('sessions.open')
      before.release()
    }
    held.release()
    t.equal((await answer).status, status)
  }
})

t.test('a password is hashed anew at the first login after the cost has risen', async t => {
  const { url, dataDir } = await testDatabase(t)
  const where = { DATA_DIR: dataDir, ...url !== undefined && { DATABASE_URL: url } }
  const hashOf = "SELECT password_hash AS hash FROM users WHERE email = 'ada@example.com'"

  const before = await startService(t, { ...where, ARGON2_MEMORY_KIB: '7168', ARGON2_ITERATIONS: '1' })
  await before.call('POST /auth/register', { json: { email: 'ada@example.com', password: PASSWORD } })
  const [old] = await before.sql<{ hash: string }>(hashOf)
  t.match(old?.hash, /^\$argon2id\$v=19\$m=7168,t=1,p=1\$/)
  await before.app.close()

  const after = await startService(t, { ...where, ARGON2_MEMORY_KIB: '8192', ARGON2_ITERATIONS: '2' })
  t.equal((await after.call('POST /auth/login', { json: { email: 'ada@example.com', password: 'not the password' } })).status, 401)
  t.strictSame(await after.sql(hashOf), [old], 'a failed login changes nothing')

  const { accessToken } = await after.logIn({ email: 'ada@example.com', password: PASSWORD })
  t.equal((await after.call('GET /auth/verify', { token: accessToken })).status, 200)
  const [renewed] = await after.sql<{ hash: string }>(hashOf)
  t.match(renewed?.hash, /^\$argon2id\$v=19\$m=8192,t=2,p=1\$/)

  await after.logIn({ email: 'ada@example.com', password: PASSWORD })
  t.strictSame(await after.sql(hashOf), [renewed], 'and only then')
})
