import { readFile } from 'node:fs/promises'
import t from 'tap'
import { age, present } from '../support/presence.ts'
import { isProblem } from '../support/problem.ts'
import { PASSWORD, startService, type Call, type LoginBody, type Person } from '../support/service.ts'
import { rowOf, sessionIdOf, statefulSession } from './session-rows.ts'

const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' }
// Needs presence, and with it does nothing: there is no such account.
const TARGET = 'DELETE /admin/users/01890a5d-ac96-774b-bcce-b302099a8057/sessions'

t.test('presence', async t => {
  const service = await startService(t)
  const admin = await service.admin()
  const ask = (call: Call) => service.call(TARGET, call)
  const refresh = async (refreshToken: string) => (await service.call<LoginBody>('POST /auth/refresh', { json: { refreshToken } })).body
  const logIn = () => service.logIn(admin)

  t.test('is proved by the session\'s own credential on each channel, which is not used up', async t => {
    const login = await logIn()
    const cookies = await service.cookiesOf(admin)
    const session = await statefulSession(service, admin)
    const ways: Record<string, Call> = {
      body: present(login),
      cookie: { cookies, headers: SAME_ORIGIN },
      'a Bearer token beside the cookies of its session': { token: cookies.access ?? '', cookies: { refresh: cookies.refresh ?? '' }, headers: SAME_ORIGIN },
      session: { cookies: session, headers: SAME_ORIGIN }
    }
    for (const [name, call] of Object.entries(ways)) {
      for (let time = 0; time < 2; time++) isProblem(t, await ask(call), 'not_found', name)
    }
    t.match(await rowOf(service, login), { generation: 0, endedReason: null })
  })

  t.test('is proved by the present refresh token and no other, and nothing that is refused ends the session', async t => {
    const other = await service.admin()
    const ways: Record<string, (login: LoginBody) => Promise<Call>> = {
      'an access token alone': async ({ accessToken: token }) => ({ token }),
      'an access token as cookie': async ({ accessToken: access }) => ({ cookies: { access }, headers: SAME_ORIGIN }),
      'no token of ours': async ({ accessToken: token }) => ({ token, json: { refreshToken: 'x' } }),
      'the access token again': async ({ accessToken: token }) => ({ token, json: { refreshToken: token } }),
      'a tampered mac': async login => present({ ...login, refreshToken: tampered(login.refreshToken, 3) }),
      'a tampered nonce': async login => present({ ...login, refreshToken: tampered(login.refreshToken, 2) }),
      'a generation ahead, unsigned': async login => present({ ...login, refreshToken: login.refreshToken.replace('.0.', '.1.') }),
      'another session of one\'s own': async login => present({ ...login, refreshToken: (await logIn()).refreshToken }),
      'another admin\'s session': async login => present({ ...login, refreshToken: other.refreshToken }),
      'another channel\'s: the body\'s as cookie': async login => ({ token: login.accessToken, cookies: { refresh: login.refreshToken }, headers: SAME_ORIGIN }),
      'another channel\'s: somebody\'s session cookie': async login => ({ token: login.accessToken, cookies: await statefulSession(service, admin), headers: SAME_ORIGIN }),
      'a cookie that came twice': async login => ({ token: login.accessToken, headers: { ...SAME_ORIGIN, cookie: `refresh=${login.refreshToken}; refresh=${login.refreshToken}` } })
    }
    for (const [name, way] of Object.entries(ways)) {
      const login = await logIn()
      isProblem(t, await ask(await way(login)), 'insufficient_user_authentication', name)
      isProblem(t, await ask(present(login)), 'not_found', `${name}: and the right one is good`)
      t.equal((await refresh(login.refreshToken)).tokenType, 'Bearer', `${name}: the session goes on`)
    }
  })

  t.test('is not proved by a cookie where the session is in the body, nor by a valid cookie beside a wrong token in the body', async t => {
    const { access = '', refresh: cookie = '' } = await service.cookiesOf(admin)
    isProblem(t, await ask({ token: access, json: { refreshToken: cookie } }), 'insufficient_user_authentication')
    isProblem(t, await ask({ cookies: { access, refresh: cookie }, json: { refreshToken: (await logIn()).refreshToken }, headers: SAME_ORIGIN }), 'insufficient_user_authentication')
    isProblem(t, await ask({ cookies: { access, refresh: cookie }, headers: SAME_ORIGIN }), 'not_found')
  })

  t.test('is not proved by a token that has a successor, and that counts as no reuse', async t => {
    const first = await logIn()
    const second = await refresh(first.refreshToken)
    const third = await refresh(second.refreshToken)
    for (const old of [first, second]) isProblem(t, await ask(present({ ...third, refreshToken: old.refreshToken })), 'insufficient_user_authentication')
    isProblem(t, await ask(present(third)), 'not_found')
    t.match(await rowOf(service, third), { generation: 2, endedReason: null })
  })

  t.test('is not proved by another nonce or generation than the session\'s row has', async t => {
    for (const [name, change] of Object.entries({ 'another nonce': "nonce = '\\x00112233445566778899aabbccddeeff'", 'a generation behind': 'generation = generation + 1', 'a generation ahead': 'generation = generation - 1' })) {
      const login = await logIn()
      const second = await refresh(login.refreshToken)
      await service.sql(`UPDATE sessions SET ${change} WHERE id = $1::uuid`, sessionIdOf(login))
      isProblem(t, await ask(present(second)), 'insufficient_user_authentication', name)
      t.match(await rowOf(service, second), { endedReason: null }, name)
    }
  })

  t.test('ends five minutes after the login, however often the session was refreshed; another login renews it', async t => {
    const someone = await service.admin()
    const session = await statefulSession(service, someone)
    const login = await service.logIn(someone)
    await age(service, someone.user.id, '299 seconds')
    isProblem(t, await ask(present(login)), 'not_found', 'a second before')
    await age(service, someone.user.id, '2 seconds')
    const refreshed = await refresh(login.refreshToken)
    isProblem(t, await ask(present(refreshed)), 'insufficient_user_authentication')
    isProblem(t, await ask({ cookies: session, headers: SAME_ORIGIN }), 'insufficient_user_authentication', 'nor by a stateful session')
    t.equal((await refresh(refreshed.refreshToken)).tokenType, 'Bearer', 'which goes on')
    t.equal((await service.call('GET /auth/verify', { cookies: session })).status, 200)
    isProblem(t, await ask(present(await service.logIn(someone))), 'not_found')
  })

  t.test('counts from when the session was opened where the row says nothing: it is older than the column', async t => {
    const login = await logIn()
    await service.sql('UPDATE sessions SET authenticated_at = NULL WHERE id = $1::uuid', sessionIdOf(login))
    isProblem(t, await ask(present(login)), 'not_found')
    await service.sql("UPDATE sessions SET created_at = created_at - interval '6 minutes' WHERE id = $1::uuid", sessionIdOf(login))
    isProblem(t, await ask(present(login)), 'insufficient_user_authentication')
  })

  t.test('is not proved by a session that is over, though the guard may not know yet', async t => {
    for (const change of ['ended_at = now()', "idle_ends_at = now() - interval '1 second'", "ends_at = now() - interval '1 second'"]) {
      const login = await logIn()
      await service.sql(`UPDATE sessions SET ${change} WHERE id = $1::uuid`, sessionIdOf(login))
      isProblem(t, await ask(present(login)), 'insufficient_user_authentication', change)
    }
    const disabled: Person = await service.admin()
    await service.sql('UPDATE users SET disabled_at = now() WHERE id = $1::uuid', disabled.user.id)
    isProblem(t, await ask(present(disabled)), 'insufficient_user_authentication', 'a disabled account')
  })

  t.test('is checked after the credential and the permission', async t => {
    isProblem(t, await ask({ json: { refreshToken: admin.refreshToken } }), 'unauthenticated')
    isProblem(t, await ask(present(await service.person())), 'forbidden')
    isProblem(t, await ask({ token: admin.accessToken, json: { refreshToken: admin.refreshToken, password: PASSWORD } }), 'validation_failed')
  })
})

t.test('the upgrade that adds the column makes no older session recent', async t => {
  const service = await startService(t)
  await service.sql('ALTER TABLE sessions DROP COLUMN authenticated_at')
  const old = await service.admin()
  const migration = await readFile(new URL('../../../prisma/migrations/20261129024500_authenticated_at/migration.sql', import.meta.url), 'utf8')
  for (const statement of migration.split(';').filter(text => /ALTER/.test(text))) await service.sql(statement)
  await service.sql("UPDATE sessions SET created_at = created_at - interval '6 minutes'")
  isProblem(t, await service.call(TARGET, present(old)), 'insufficient_user_authentication')
  isProblem(t, await service.call(TARGET, present(await service.logIn(old))), 'not_found', 'one that is opened since is')
})

/** A refresh token with one character of a part changed. */
function tampered (token: string, part: number): string {
  return token.split('.').map((text, index) => index === part ? `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}` : text).join('.')
}
