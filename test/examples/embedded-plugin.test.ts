import t from 'tap'
import { testDatabase } from '../support/database.ts'
import { ask, startExample } from './example.ts'

const ADA = { email: 'ada@example.com', password: 'correct horse battery' }

t.test('embedded-plugin: one app that registers, logs in and guards its own routes', async t => {
  const { url, dataDir } = await testDatabase(t)
  const origin = await startExample(t, 'embedded-plugin/app.js', { DATA_DIR: dataDir, ...url !== undefined && { DATABASE_URL: url } })

  const registered = await post(`${origin}/auth/register`, ADA)
  t.equal(registered.status, 201)
  const login = await post(`${origin}/auth/login`, ADA)
  const { accessToken } = await login.json() as { accessToken: string }

  t.same(await ask(`${origin}/notes`, accessToken), { status: 200, body: { notes: [], of: ADA.email } })
  t.equal((await ask(`${origin}/notes`)).status, 401)
  t.equal((await ask(`${origin}/statistics`, accessToken)).status, 403)

  t.equal((await fetch(`${origin}/auth/logout`, { method: 'POST', headers: { authorization: `Bearer ${accessToken}` } })).status, 204)
  t.equal((await ask(`${origin}/notes`, accessToken)).status, 401, 'the token is dead after logging out')
})

function post (url: string, body: object): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
}
