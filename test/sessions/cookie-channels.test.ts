import t from 'tap'
import { DatabaseUnavailable } from '../../src/database/errors.ts'
import { isProblem } from '../support/problem.ts'
import { PASSWORD, startService, type Person } from '../support/service.ts'
import { statefulSession } from './session-rows.ts'

const OWN_PAGE = { 'sec-fetch-site': 'same-origin' }

t.test('a browser with the cookies of both channels', async t => {
  const service = await startService(t)
  const { call } = service
  const verify = (cookies: Record<string, string>) => call<{ id: string, credential: string, code?: string }>('GET /auth/verify', { cookies })

  /** The cookies of two sessions, one with tokens and one stateful. */
  async function both (one: Person, other: Person) {
    const { access = '', refresh = '' } = await service.cookiesOf(one)
    return { access, refresh, ...await statefulSession(service, other) }
  }

  t.test('is authenticated by the access cookie', async t => {
    const [ada, bob] = [await service.person(), await service.person()]
    const { access, session } = await both(ada, bob)
    for (const cookie of [`access=${access}; session=${session}`, `session=${session}; access=${access}`]) {
      t.match(await call('GET /auth/verify', { headers: { cookie } }), { status: 200, body: { id: ada.user.id, credential: 'cookie' } })
    }
    t.match(await verify({ session }), { status: 200, body: { id: bob.user.id, credential: 'session' } })
  })

  t.test('logs out of both at once', async t => {
    const cookies = await both(await service.person(), await service.person())
    const answer = await call('POST /auth/logout', { cookies, headers: OWN_PAGE })
    t.equal(answer.status, 204)
    t.strictSame(Object.entries(answer.cookies).map(([name, { value }]) => [name, value]), [['access', ''], ['refresh', ''], ['session', '']])
    for (const name of ['access', 'session'] as const) isProblem(t, await call('GET /auth/verify', { cookies: { [name]: cookies[name] } }), 'invalid_token', name)
    t.equal((await call('POST /auth/refresh', { cookies: { refresh: cookies.refresh }, headers: OWN_PAGE })).status, 401)
  })

  t.test('gets no 204 for a logout while one of its sessions cannot be checked', async t => {
    const cookies = await both(await service.person(), await service.person())
    const { query } = service.database
    service.database.query = (statement, values) => statement.name === 'sessions.log-out-stateful' ? Promise.reject(new DatabaseUnavailable('cut off')) : query(statement, values)
    t.teardown(() => { service.database.query = query })
    isProblem(t, await call('POST /auth/logout', { cookies, headers: OWN_PAGE }), 'unavailable')
    service.database.query = query
    t.equal((await verify({ session: cookies.session })).status, 200)
    t.equal((await call('POST /auth/logout', { cookies, headers: OWN_PAGE })).status, 204)
    t.equal((await verify({ session: cookies.session })).status, 401)
  })

  t.test('loses the cookies of one channel when it logs in on the other', async t => {
    const person = await service.person()
    const logIn = async (deliver: string, cookies: Record<string, string>) =>
      Object.entries((await call('POST /auth/login', { json: { email: person.email, password: PASSWORD, deliver }, cookies, headers: OWN_PAGE })).cookies).map(([name, { value }]) => `${name} ${value === '' ? 'cleared' : 'set'}`)
    const { access, refresh, session } = await both(person, person)
    t.strictSame(await logIn('session', { access, refresh }), ['access cleared', 'refresh cleared', 'session set', 'device set'])
    t.strictSame(await logIn('cookie', { session }), ['session cleared', 'access set', 'refresh set', 'device set'])
    t.strictSame(await logIn('cookie', { access, refresh }), ['access set', 'refresh set', 'device set'])
  })

  t.test('a cookie that comes twice is refused on every route that reads it', async t => {
    const { refresh, session } = await both(await service.person(), await service.person())
    isProblem(t, await call('GET /auth/verify', { headers: { cookie: `session=${session}; session=${session}` } }), 'invalid_token')
    isProblem(t, await call('POST /auth/refresh', { headers: { ...OWN_PAGE, cookie: `refresh=${refresh}; refresh=${refresh}` } }), 'invalid_refresh_token')
    t.equal((await verify({ session })).status, 200, 'and nothing of it has ended')
    t.equal((await call('POST /auth/refresh', { cookies: { refresh }, headers: OWN_PAGE })).status, 200)
  })
})
