import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { onPostgres, testDatabase } from '../support/database.ts'
import { PASSWORD, startService, type Answer, type Call, type LoginBody, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'

const [jwtOld, jwtNew, old, fresh] = [generateSecret(), generateSecret(), generateSecret(), generateSecret()]

t.test('both secrets are rotated in three steps on two instances under load, and no request fails', { ...onPostgres, timeout: 120_000 }, async t => {
  const { url = '', dataDir } = await testDatabase(t)
  const start = (jwt: string, secret: string) => startService(t, { DATABASE_URL: url, DATA_DIR: dataDir, JWT_SECRET: jwt, COUNTERSIGN_SECRET: secret })

  // What stands behind the address: an instance that is replaced takes no new request, and ends those it has.
  const serving = await Promise.all([start(jwtOld, old), start(jwtOld, old)])
  const underWay = new Map<TestService, Set<Promise<unknown>>>()
  let turn = 0

  async function call<Body> (target: string, options: Call): Promise<Answer<Body>> {
    const instance = serving[turn++ % 2]
    if (instance === undefined) throw new Error('Nobody serves')
    const request = instance.call<Body>(target, options)
    const requests = underWay.get(instance) ?? new Set()
    underWay.set(instance, requests.add(request))
    return request.finally(() => requests.delete(request))
  }

  async function replaceBoth (jwt: string, secret: string): Promise<void> {
    for (const index of serving.keys()) {
      const successor = await start(jwt, secret)
      const [replaced] = serving.splice(index, 1, successor)
      await Promise.all(replaced === undefined ? [] : underWay.get(replaced) ?? [])
      await replaced?.app.close()
    }
  }

  const person = await serving[0]?.person()
  if (person === undefined) return t.fail('nobody is there')
  const { cookies } = await call('POST /auth/login', { json: { email: person.email, password: PASSWORD, deliver: 'session' } })
  const session = { session: cookies.session?.value ?? '' }
  const failures: string[] = []
  let rounds = 0
  let login: LoginBody = person
  const over = new AbortController()

  async function askEverything (): Promise<void> {
    const refreshed = await call<LoginBody>('POST /auth/refresh', { json: { refreshToken: login.refreshToken } })
    if (refreshed.status === 200) login = refreshed.body
    const answers = await Promise.all([
      call('GET /auth/verify', { token: login.accessToken }),
      call('GET /auth/me', { token: login.accessToken }),
      call('GET /auth/verify', { cookies: session }),
      call('POST /auth/login', { json: { email: person?.email, password: PASSWORD } })
    ])
    for (const { status, body } of [refreshed, ...answers]) if (status !== 200) failures.push(`${status} ${JSON.stringify(body)}`)
    rounds++
  }

  const load = (async () => { while (!over.signal.aborted) { await askEverything(); await pause(20) } })()
  await replaceBoth(`${jwtOld},${jwtNew}`, `${old},${fresh}`)
  await replaceBoth(`${jwtNew},${jwtOld}`, `${fresh},${old}`)
  // The life of an access token passes here; this client asks for a new pair all the time.
  const before = rounds
  await until(() => rounds >= before + 2)
  await replaceBoth(jwtNew, fresh)
  over.abort()
  await load
  t.strictSame(failures, [])
  t.ok(rounds > 5, `${rounds} rounds`)
})
