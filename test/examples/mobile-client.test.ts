import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { root } from '../docs/markdown.ts'
import { sessionIdOf } from '../sessions/session-rows.ts'
import { age } from '../support/presence.ts'
import { PASSWORD, startService } from '../support/service.ts'

/** The example, as it is used here. */
interface Example {
  createSession (options: { origin: string, keychain: unknown, onEnded (): void }): {
    logIn (email: string, password: string): Promise<void>
    fetch (url: string): Promise<Response>
    fetchPresent (url: string): Promise<Response>
    changePassword (currentPassword: string, newPassword: string): Promise<void>
    logOut (): Promise<void>
  }
  LoggedOut: new () => Error
}

t.test('mobile-client', async t => {
  const directory = await compile(t)
  const { createSession, LoggedOut } = await import(pathToFileURL(join(directory, 'session.js')).href) as Example
  const service = await startService(t)
  const origin = await service.listen()
  const line = await badLine(t, origin)

  /** An app on a phone; `restart` is the same phone with the app started anew. */
  async function install () {
    const ada = await service.person()
    let kept: string | null = null
    let ended = 0
    const keychain = { read: async () => kept, write: async (text: string) => { kept = text }, clear: async () => { kept = null } }
    const start = () => createSession({ origin: line.origin, keychain, onEnded: () => { ended++ } })
    const session = start()
    await session.logIn(ada.email, PASSWORD)
    const me = (app = session) => app.fetch(`${line.origin}/auth/me`)
    const sessionId = () => sessionIdOf(JSON.parse(kept ?? '{}') as { refreshToken: string })
    return { session, start, me, ada, sessionId, kept: () => kept, ended: () => ended }
  }

  t.test('is who has logged in, also when it is started again', async t => {
    const { me, start, ada } = await install()
    t.match(await (await me()).json(), { email: ada.email })
    t.match(await (await me(start())).json(), { email: ada.email })
  })

  t.test('refreshes once, however many requests need it', async t => {
    const { me, start } = await install()
    const again = start()
    const { refreshes } = line
    const answers = await Promise.all(Array.from({ length: 8 }, () => me(again)))
    t.strictSame(new Set(answers.map(({ status }) => status)), new Set([200]))
    t.equal(line.refreshes - refreshes, 1)
  })

  t.test('stays logged in when the answers to a refresh are lost', async t => {
    const { me, start, sessionId } = await install()
    line.loseAnswers(2)
    t.equal((await me(start())).status, 200)
    const [row] = await service.sql<{ generation: number }>('SELECT generation FROM sessions WHERE id = $1::uuid', sessionId())
    t.strictSame(row, { generation: 1 }, 'all three had the same successor')
  })

  t.test('stays logged in when it was suspended for hours before it heard the answer', async t => {
    const { me, start, sessionId } = await install()
    line.loseAnswers(Infinity)
    const suspended = start()
    me(suspended).catch(() => {})
    await line.lost()
    await service.sql("UPDATE sessions SET rotated_at = rotated_at - interval '5 hours' WHERE id = $1::uuid", sessionId())
    line.loseAnswers(0)
    t.equal((await me(start())).status, 200)
  })

  t.test('is told when its session was ended elsewhere', async t => {
    const { session, me, ada, kept, ended } = await install()
    const { accessToken: token } = await service.logIn(ada)
    t.equal((await service.call('DELETE /auth/sessions', { token })).status, 204)
    await t.rejects(me(), LoggedOut)
    t.strictSame([ended(), kept()], [1, null])
    await t.rejects(session.fetch(origin), LoggedOut)
  })

  t.test('changes the password though the answer is lost, and goes on with the tokens that came of it', async t => {
    const { session, me, start, ada } = await install()
    line.loseAnswers(1, '/auth/password')
    await session.changePassword(ada.password, 'a staple of nine words')
    t.equal((await me()).status, 200)
    t.equal((await me(start())).status, 200, 'and so does the app that is started anew')
    t.strictSame(await service.sql('SELECT version FROM users WHERE id = $1::uuid', ada.user.id), [{ version: 2 }])
    await t.rejects(session.changePassword('not the password', 'another staple of nine words'), { name: 'Refused', code: 'invalid_credentials' })
    t.equal((await me()).status, 200)
  })

  t.test('shows presence where it is needed, and is told when the login is too old', async t => {
    const { session, me, ada } = await install()
    await age(service, ada.user.id)
    const refused = await session.fetchPresent(`${origin}/auth/me/delete`)
    t.match(await refused.json(), { status: 401, code: 'insufficient_user_authentication' })
    t.equal((await me()).status, 200, 'which ends nothing')
    await session.logIn(ada.email, ada.password)
    t.equal((await session.fetchPresent(`${origin}/auth/me/delete`)).status, 204)
  })

  t.test('ends its session when it logs out', async t => {
    const { session, me, kept, sessionId } = await install()
    const id = sessionId()
    await session.logOut()
    t.equal(kept(), null)
    await t.rejects(me(), LoggedOut)
    const [row] = await service.sql<{ ended: boolean }>('SELECT ended_at IS NOT NULL AS ended FROM sessions WHERE id = $1::uuid', id)
    t.strictSame(row, { ended: true })
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

/** The way to a service over which answers to refreshes can be lost. */
async function badLine (t: Test, target: string) {
  let refreshes = 0
  let losing = 0
  let losingAt = '/auth/refresh'
  let lose = () => {}

  const server = createServer((incoming, outgoing) => {
    const isRefresh = incoming.url === '/auth/refresh'
    if (isRefresh) refreshes++
    const { method = 'GET', headers } = incoming
    // Each over a connection of its own: one kept from before, the service may be closing at this moment.
    incoming.pipe(request(target + incoming.url, { method, headers, agent: false }, answer => {
      if (incoming.url === losingAt && losing > 0) {
        losing--
        lose()
        answer.resume()
        outgoing.destroy()
        return
      }
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers)
      answer.pipe(outgoing)
    }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.closeAllConnections(); server.close() })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get refreshes () { return refreshes },
    loseAnswers (count: number, path = '/auth/refresh') { [losing, losingAt] = [count, path] },
    lost: () => new Promise<void>(resolve => { lose = resolve })
  }
}
