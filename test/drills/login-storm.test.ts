import t from 'tap'
import { PASSWORD, startService, type Answer, type Call } from '../support/service.ts'
import type { ProblemDocument } from '../../src/errors.ts'
import { statefulSession } from '../sessions/session-rows.ts'

const ATTACKERS = Array.from({ length: 40 }, (_, n) => `203.0.113.${n + 1}`)

t.test('a storm of wrong guesses from forty addresses', async t => {
  // Hashes that are dear enough for the queue to fill, and so cheap that on a busy machine nobody waits for two seconds.
  const service = await startService(t, { TRUST_PROXY: '1', HASH_QUEUE_LIMIT: '16', HASH_CONCURRENCY: '1', ARGON2_MEMORY_KIB: '7168' })
  const ada = await service.person()
  const cookies = await service.cookiesOf(ada)
  const login = (call: Call, email = ada.email, password = PASSWORD) =>
    service.call('POST /auth/login', { ...call, json: { email, password }, headers: { 'x-forwarded-for': '198.51.100.7', ...call.headers } })

  /** Sends wrong guesses until `work` is done, which starts after the first guess was refused. */
  async function within (work: () => Promise<void>): Promise<Array<Answer<ProblemDocument>>> {
    const answers: Array<Answer<ProblemDocument>> = []
    const over = new AbortController()
    let full = () => {}
    const queueIsFull = new Promise<void>(resolve => { full = resolve })
    const storm = ATTACKERS.map(async address => {
      while (!over.signal.aborted) {
        const answer = await login({ headers: { 'x-forwarded-for': address } }, ada.email, 'not the password')
        answers.push(answer)
        if (answer.status === 503) full()
      }
    })
    await queueIsFull
    await work().finally(() => over.abort())
    await Promise.all(storm)
    return answers
  }

  t.test('does not lock out a user whose browser has logged in before', async t => {
    await within(async () => {
      for (let round = 0; round < 3; round++) {
        const began = performance.now()
        t.equal((await login({ cookies: { device: cookies.device ?? '' } })).status, 200)
        t.comment(`${Math.round(performance.now() - began)} ms`)
      }
    })
  })

  t.test('does not lock out a user with a live session', async t => {
    const session = await statefulSession(service, ada)
    await within(async () => {
      t.equal((await login({ token: ada.accessToken })).status, 200)
      t.equal((await login({ cookies: { access: cookies.access ?? '' }, headers: { 'sec-fetch-site': 'same-origin' } })).status, 200)
      t.equal((await login({ cookies: session, headers: { 'sec-fetch-site': 'same-origin' } })).status, 200)
    })
  })

  t.test('is refused at once beyond the queue\'s limit, with Retry-After', async t => {
    const answers = await within(async () => {
      const began = performance.now()
      while (performance.now() - began < 500) await login({ headers: { 'x-forwarded-for': '203.0.113.200' } }, ada.email, 'not the password')
    })
    t.ok(answers.length > 0)
    t.strictSame([...new Set(answers.map(({ status }) => status))].sort(), [401, 503], 'some are hashed, some turned away, and nothing else')
    for (const { body, headers } of answers.filter(({ status }) => status === 503)) {
      t.strictSame([body.code, /^([1-9]|[12]\d)$/.test(headers['retry-after'] ?? ''), headers['cache-control']], ['too_busy', true, 'no-store'])
    }
  })

  t.test('gains nothing by the device cookie of another account, or by a forged one', async t => {
    const mallory = await service.cookiesOf(await service.person())
    const [id = '', since = '', salt = '', mac = ''] = (cookies.device ?? '').split('.')
    const bad = [mallory.device ?? '', `${id}.${since}.${salt}.${'A'.repeat(43)}`, `${id}.${Number(since) + 1}.${salt}.${mac}`, 'x', `${id}...`]
    const statuses: number[] = []
    await within(async () => {
      for (let round = 0; round < 6; round++) {
        const answers = await Promise.all(bad.map((device, n) => login({ cookies: { device }, headers: { 'x-forwarded-for': `203.0.113.${100 + n}` } })))
        statuses.push(...answers.map(({ status }) => status))
      }
    })
    t.ok(statuses.includes(503), `they wait among strangers: ${statuses}`)
  })

  t.test('leaves everybody\'s tokens valid', async t => {
    await within(async () => {
      for (let n = 0; n < 20; n++) t.equal((await service.call('GET /auth/verify', { token: ada.accessToken })).status, 200)
    })
  })
})
