import { randomBytes } from 'node:crypto'
import t from 'tap'
import { DatabaseUnavailable } from '../../src/database/errors.ts'
import { startService, type LoginBody, type Person, type TestService } from '../support/service.ts'
import { watchStatements } from '../support/statements.ts'

const OWN_PAGE = { 'sec-fetch-site': 'same-origin' }
const MADE_UP = 200

async function statefulCookie (service: TestService, { email, password }: Person): Promise<string> {
  const { cookies } = await service.call<LoginBody>('POST /auth/login', { json: { email, password, deliver: 'session' }, headers: OWN_PAGE })
  return cookies.session?.value ?? ''
}

t.test('made-up cookies at logout', async t => {
  const service = await startService(t, { RATE_LIMITS: '' })
  const person = await service.person()
  const session = await statefulCookie(service, person)
  const logOut = (cookie: string) => service.call('POST /auth/logout', { cookies: { session: cookie }, headers: OWN_PAGE })
  const others = () => Array.from({ length: MADE_UP }, () => logOut(randomBytes(32).toString('base64url')))

  t.test('are looked up by two queries at a time, and keep nobody of the same network from logging out', async t => {
    const statements = watchStatements(service)
    const [before, own, after] = [others(), logOut(session), others()]
    t.equal((await own).status, 204)
    t.equal((await service.call('GET /auth/verify', { cookies: { session } })).status, 401, 'it is done')
    for (const { status, cookies } of await Promise.all([...before, ...after])) {
      if (status !== 204 || cookies.session?.value !== '') t.fail(`a made-up cookie was answered ${status}`)
    }
    t.ok(statements.filter(name => name === 'sessions.find-not-ended').length < MADE_UP / 4, `${statements.length} statements`)
    t.equal(statements.filter(name => name === 'sessions.log-out-stateful').length, 1, 'for the one that names a session')
  })

  t.test('and what named a session once costs no statement of its own either', async t => {
    const statements = watchStatements(service)
    t.equal((await logOut(session)).status, 204)
    t.notOk(statements.includes('sessions.log-out-stateful'))
  })

  t.test('where they cannot be looked up, nothing is said to be done', async t => {
    const live = await statefulCookie(service, person)
    const { query } = service.database
    service.database.query = (statement, values) => statement.name === 'sessions.find-not-ended' ? Promise.reject(new DatabaseUnavailable('cut off')) : query(statement, values)
    const answers = await Promise.all([logOut(live), ...others().slice(0, 5)])
    t.strictSame(answers.map(({ status, cookies }) => [status, Object.keys(cookies)]), answers.map(() => [503, []]))
    service.database.query = query
    t.equal((await logOut(live)).status, 204)
    t.equal((await service.call('GET /auth/verify', { cookies: { session: live } })).status, 401)
  })
})
