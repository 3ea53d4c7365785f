import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { root } from '../docs/markdown.ts'
import { sessionIdOf } from '../sessions/session-rows.ts'
import { answerJson, answerPage, hang, hold, hostileProxy, lose, repeat, truncate, type Meddling } from '../support/hostile-proxy.ts'
import { age, present } from '../support/presence.ts'
import { PASSWORD, startService, type Person } from '../support/service.ts'
import { until } from '../support/until.ts'

/** The example, as it is used here. */
interface Example {
  createSession (options: { origin: string, keychain: unknown, onEnded (): void, timeout: number, longestWait: number, pause: number }): Promise<{
    logIn (email: string, password: string): Promise<void>
    fetch (url: string): Promise<Response>
    fetchPresent (path: string): Promise<Response>
    changePassword (currentPassword: string, newPassword: string): Promise<void>
    logOut (): Promise<void>
  }>
  LoggedOut: new () => Error
}

t.test('mobile-client', async t => {
  const directory = await compile(t)
  const { createSession, LoggedOut } = await importFrom<Example>(directory, 'session.js')
  const service = await startService(t)
  const target = await service.listen()

  /** An app on a phone, behind a proxy of its own; `start` is the same phone with the app started anew. */
  async function install (t: Test) {
    const proxy = await hostileProxy(t, target)
    const ada = await service.person()
    let kept: string | null = null
    let ended = 0
    const keychain = { read: async () => kept, write: async (text: string) => { kept = text }, clear: async () => { kept = null } }
    const start = () => createSession({ origin: proxy.origin, keychain, onEnded: () => { ended++ }, timeout: 1_000, longestWait: 20, pause: 50 })
    const session = await start()
    await session.logIn(ada.email, PASSWORD)
    const me = (app = session) => app.fetch(`${proxy.origin}/auth/me`)
    const isLoggedInAs = async ({ email }: Person, app = session) => (await (await me(app)).json() as Person).email === email
    const refreshToken = () => JSON.parse(kept ?? '{}') as { refreshToken: string }
    const sessionId = () => sessionIdOf(refreshToken())
    const refreshes = () => proxy.requests('/auth/refresh')
    return { proxy, session, start, me, isLoggedInAs, ada, sessionId, refreshes, kept: () => kept, empty: () => { kept = null }, ended: () => ended }
  }

  const liveSessions = async ({ user }: Person) => (await service.sql('SELECT FROM sessions WHERE user_id = $1::uuid AND ended_at IS NULL', user.id)).length

  /** Ends the sessions of a person, from another device. */
  async function endElsewhere (t: Test, person: Person) {
    const { accessToken: token } = await service.logIn(person)
    t.equal((await service.call('DELETE /auth/sessions', { token })).status, 204)
  }

  t.test('is who has logged in, also when it is started again', async t => {
    const { isLoggedInAs, start, ada } = await install(t)
    t.ok(await isLoggedInAs(ada))
    t.ok(await isLoggedInAs(ada, await start()))
  })

  t.test('refreshes once, however many requests need it', async t => {
    const { me, start, refreshes } = await install(t)
    const again = await start()
    const answers = await Promise.all(Array.from({ length: 8 }, () => me(again)))
    t.strictSame(new Set(answers.map(({ status }) => status)), new Set([200]))
    t.equal(refreshes(), 1)
  })

  t.test('refreshes once, though the refusals come one after the other', async t => {
    const { proxy, me, ada, refreshes } = await install(t)
    t.equal((await service.call(`PATCH /admin/users/${ada.user.id}`, present(await service.admin(), { role: 'admin' }))).status, 200)
    const refusals = Array.from({ length: 12 }, () => hold())
    for (const { meddling } of refusals) proxy.meddle('/auth/me', meddling)
    const calls = refusals.map(() => me())
    await Promise.all(refusals.map(({ reached }) => reached))
    for (const [index, { release }] of refusals.entries()) {
      release()
      t.match(await (await calls[index])?.json(), { role: 'admin' })
    }
    t.equal(refreshes(), 1)
  })

  t.test('stays logged in when the answers to a refresh are lost', async t => {
    const { proxy, me, start, sessionId } = await install(t)
    proxy.meddle('/auth/refresh', lose, 2)
    t.equal((await me(await start())).status, 200)
    const [row] = await service.sql<{ generation: number }>('SELECT generation FROM sessions WHERE id = $1::uuid', sessionId())
    t.strictSame(row, { generation: 1 }, 'all three had the same successor')
  })

  t.test('stays logged in when it was suspended for hours before it heard the answer', async t => {
    const { proxy, me, start, sessionId } = await install(t)
    const { meddling, reached, release } = hold()
    proxy.meddle('/auth/refresh', meddling)
    const suspended = me(await start())
    await reached
    await service.sql("UPDATE sessions SET rotated_at = rotated_at - interval '5 hours' WHERE id = $1::uuid", sessionId())
    t.equal((await me(await start())).status, 200)
    release()
    await suspended
  })

  t.test('is told when its session was ended elsewhere', async t => {
    const { session, me, ada, kept, ended } = await install(t)
    await endElsewhere(t, ada)
    await t.rejects(me(), LoggedOut)
    t.strictSame([ended(), kept()], [1, null])
    await t.rejects(session.fetch(target), LoggedOut)
  })

  t.test('is told when its keychain was emptied', async t => {
    const { start, me, empty, ended } = await install(t)
    const phone = await start()
    empty()
    await t.rejects(me(phone), LoggedOut)
    t.equal(ended(), 1)
  })

  t.test('changes the password though the answer is lost, and goes on with the tokens that came of it', async t => {
    const { proxy, session, me, start, ada } = await install(t)
    proxy.meddle('/auth/password', lose)
    await session.changePassword(ada.password, 'a staple of nine words')
    t.equal((await me()).status, 200)
    t.equal((await me(await start())).status, 200, 'and so does the app that is started anew')
    t.strictSame(await service.sql('SELECT version FROM users WHERE id = $1::uuid', ada.user.id), [{ version: 2 }])
    await t.rejects(session.changePassword('not the password', 'another staple of nine words'), { name: 'Refused', code: 'invalid_credentials' })
    t.equal((await me()).status, 200)
  })

  t.test('shows presence where it is needed, and is told when the login is too old', async t => {
    const { session, me, ada, refreshes } = await install(t)
    await age(service, ada.user.id)
    const refused = await session.fetchPresent('/auth/me/delete')
    t.match(await refused.json(), { status: 401, code: 'insufficient_user_authentication' })
    t.equal((await me()).status, 200, 'which ends nothing')
    await session.logIn(ada.email, ada.password)
    t.equal((await session.fetchPresent('/auth/me/delete')).status, 204)
    t.equal(refreshes(), 0)
  })

  t.test('ends its session when it logs out', async t => {
    const { session, me, kept, sessionId } = await install(t)
    const id = sessionId()
    await session.logOut()
    t.equal(kept(), null)
    await t.rejects(me(), LoggedOut)
    const [row] = await service.sql<{ ended: boolean }>('SELECT ended_at IS NOT NULL AS ended FROM sessions WHERE id = $1::uuid', id)
    t.strictSame(row, { ended: true })
  })

  t.test('an answer that comes late', async t => {
    t.test('brings no session back that has logged out', async t => {
      const { proxy, session, me, start, kept } = await install(t)
      const { meddling, reached, release } = hold()
      proxy.meddle('/auth/refresh', meddling)
      const again = await start()
      const call = t.rejects(me(again), LoggedOut)
      await reached
      await again.logOut()
      release()
      await call
      t.equal(kept(), null)
      await t.rejects(me(again), LoggedOut)
      await t.rejects(me(session), LoggedOut, 'nor is it live at the service')
    })

    t.test('ends no session that was opened after it was asked for', async t => {
      const { proxy, me, isLoggedInAs, start, ada, ended } = await install(t)
      const bob = await service.person()
      const { meddling, reached, release } = hold()
      proxy.meddle('/auth/refresh', meddling)
      const phone = await start()
      await endElsewhere(t, ada)
      const call = t.rejects(me(phone), LoggedOut)
      await reached
      await phone.logIn(bob.email, bob.password)
      release()
      await call
      t.equal(ended(), 0)
      t.ok(await isLoggedInAs(bob, phone))
      t.ok(await isLoggedInAs(bob, await start()))
    })

    t.test('makes nobody the person before', async t => {
      const { proxy, me, isLoggedInAs, start } = await install(t)
      const bob = await service.person()
      const { meddling, reached, release } = hold()
      proxy.meddle('/auth/refresh', meddling)
      const phone = await start()
      const call = t.rejects(me(phone), LoggedOut)
      await reached
      await phone.logIn(bob.email, bob.password)
      release()
      await call
      t.ok(await isLoggedInAs(bob, phone))
      t.ok(await isLoggedInAs(bob, await start()))
    })

    t.test('shows nobody what the person before had asked for', async t => {
      const { proxy, session, me } = await install(t)
      const bob = await service.person()
      const { meddling, reached, release } = hold()
      proxy.meddle('/auth/me', meddling)
      const call = t.rejects(me(), LoggedOut)
      await reached
      await session.logIn(bob.email, bob.password)
      release()
      await call
    })

    t.test('logs nobody in who has logged out since', async t => {
      const { proxy, session, me, ada, kept } = await install(t)
      const { meddling, reached, release } = hold()
      proxy.meddle('/auth/login', meddling)
      const login = t.rejects(session.logIn(ada.email, ada.password), LoggedOut)
      await reached
      await session.logOut()
      release()
      await login
      t.equal(kept(), null)
      await t.rejects(me(), LoggedOut)
      await until(async () => await liveSessions(ada) === 1)
      t.equal(await liveSessions(ada), 1, 'that of the registration: the late login was ended')
    })

    t.test('does not log in over a login that was asked for later', async t => {
      const { proxy, session, isLoggedInAs, start, ada } = await install(t)
      const bob = await service.person()
      const { meddling, reached, release } = hold()
      proxy.meddle('/auth/login', meddling)
      const first = t.rejects(session.logIn(ada.email, ada.password), LoggedOut)
      await reached
      await session.logIn(bob.email, bob.password)
      release()
      await first
      t.ok(await isLoggedInAs(bob))
      t.ok(await isLoggedInAs(bob, await start()))
    })
  })

  t.test('something else answers a refresh', async t => {
    let strayed = 0
    const elsewhere = createServer((_request, response) => { strayed++; response.end() }).listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    t.teardown(() => elsewhere.close())
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`

    const cases: Record<string, Meddling> = {
      'a page with 200': answerPage(200),
      'a page with 401': answerPage(401),
      'a page with 401 and a challenge': answerPage(401, { 'www-authenticate': 'Basic realm="hotel"' }),
      'JSON of another form with 200': answerJson(200, { accessToken: null }),
      'JSON with 401': answerJson(401, { error: 'unauthorized' }),
      'half of the JSON': truncate,
      'a redirect elsewhere': answerPage(307, { location }),
      '503, and to come again in a day': answerPage(503, { 'retry-after': '99999' }),
      '429, and to come again at a date': answerPage(429, { 'retry-after': 'Fri, 31 Dec 2100 23:59:59 GMT' }),
      'nobody, ever': hang,
      'the service, asked twice': repeat
    }
    for (const [name, meddling] of Object.entries(cases)) {
      t.test(`${name}: the session goes on`, async t => {
        const { proxy, isLoggedInAs, ada, start, ended } = await install(t)
        proxy.meddle('/auth/refresh', meddling)
        t.ok(await isLoggedInAs(ada, await start()))
        t.ok(await isLoggedInAs(ada, await start()))
        t.strictSame([ended(), strayed], [0, 0])
      })
    }

    t.test('as often as it is asked: the session is kept for another time', async t => {
      const { proxy, me, isLoggedInAs, ada, start, kept, ended, refreshes } = await install(t)
      const phone = await start()
      const before = kept()
      proxy.meddle('/auth/refresh', answerPage(401), 6)
      await t.rejects(me(phone), { name: 'Unanswered' })
      t.strictSame([ended(), kept(), refreshes()], [0, before, 6])
      t.ok(await isLoggedInAs(ada, phone))
    })
  })

  t.test('neither the refresh token nor the password follows a redirect', async t => {
    const { proxy, session, ada } = await install(t)
    const bodies: string[] = []
    const elsewhere = createServer((request, response) => { void json(request).then(body => { bodies.push(JSON.stringify(body)); response.end('{}') }) }).listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    t.teardown(() => { elsewhere.closeAllConnections(); elsewhere.close() })
    const redirect = answerPage(307, { location: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/` })
    for (const path of ['/auth/login', '/auth/password', '/auth/me/delete', '/auth/logout']) proxy.meddle(path, redirect)
    await t.rejects(session.logIn(ada.email, ada.password), { name: 'Unanswered' })
    await session.changePassword(ada.password, 'a staple of nine words')
    await t.rejects(session.fetchPresent('/auth/me/delete'))
    await session.logOut()
    t.strictSame(bodies, [])
    t.equal(await liveSessions(ada), 0)
  })

  t.test('a 401 that no refresh mends', async t => {
    const refusal = answerPage(401, { 'www-authenticate': 'Bearer error="invalid_token"' })

    t.test('reaches the caller after one refresh', async t => {
      const { proxy, me, ended, refreshes } = await install(t)
      proxy.meddle('/auth/me', refusal, Infinity)
      t.equal((await me()).status, 401)
      t.strictSame([ended(), refreshes()], [0, 1])
      t.ok(proxy.requests('/auth/me') <= 3)
    })

    t.test('refreshes no more often than the pause allows, however often the app asks', async t => {
      const { proxy, me, refreshes } = await install(t)
      proxy.meddle('/auth/me', refusal, Infinity)
      const began = performance.now()
      for (let call = 0; call < 5; call++) t.equal((await me()).status, 401)
      t.ok(refreshes() <= (performance.now() - began) / 50, `${refreshes()} refreshes`)
    })

    t.test('passes, where the clock of a service was a little behind', async t => {
      const { proxy, me, start, refreshes } = await install(t)
      proxy.meddle('/auth/me', refusal)
      t.equal((await me(await start())).status, 200)
      t.equal(refreshes(), 1, 'that of the start')
    })

    t.test('of a proxy, or that asks for a new login, is the caller\'s', async t => {
      const { proxy, me, refreshes } = await install(t)
      proxy.meddle('/auth/me', answerPage(401))
      proxy.meddle('/auth/me', answerPage(401, { 'www-authenticate': 'Bearer error="insufficient_user_authentication", max_age="300"' }))
      t.strictSame([(await me()).status, (await me()).status, (await me()).status], [401, 401, 200])
      t.equal(refreshes(), 0)
    })
  })

  t.test('waits less than the service takes to call a repeated refresh a theft', async t => {
    const { TIMEOUT, LONGEST_WAIT } = await importFrom<{ TIMEOUT: number, LONGEST_WAIT: number }>(directory, 'service.js')
    t.ok(TIMEOUT + LONGEST_WAIT < 30_000)
  })
})

/** Compiles the example beside the build. @returns the directory */
async function compile (t: Test): Promise<string> {
  const directory = await mkdtemp(join(root, '.build/mobile-client-'))
  t.teardown(() => rm(directory, { recursive: true }))
  await cp(join(root, 'examples/mobile-client'), directory, { recursive: true })
  await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', directory])
  return directory
}

async function importFrom<Module> (directory: string, file: string): Promise<Module> {
  return await import(pathToFileURL(join(directory, file)).href) as Module
}
