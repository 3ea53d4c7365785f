import t, { type Test } from 'tap'
import { present } from '../support/presence.ts'
import { PASSWORD, startService, type Call, type Person, type Settings, type TestService } from '../support/service.ts'
import { cookiesOf, signIn } from '../support/providers/sign-in.ts'
import { startWorld } from '../support/providers/world.ts'
import { until } from '../support/until.ts'
import { startSmtp, type TestSmtp } from './smtp.ts'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const ELSEWHERE = '203.0.113.9'

async function start (t: Test, settings: Settings = {}): Promise<{ service: TestService, smtp: TestSmtp }> {
  const smtp = await startSmtp(t)
  return { smtp, service: await startService(t, { ...mailBy(smtp), ...settings }) }
}

const mailBy = ({ url }: TestSmtp) => ({ SMTP_URL: url, MAIL_FROM: 'no-reply@shop.example', SERVICE_NAME: 'Shop' })

/** What arrived, but for the links by which a new account verifies its address. */
const noticesIn = ({ received }: TestSmtp) => received.filter(({ mail }) => mail.text?.includes('/account/verify?token=') !== true)

/** Waits until nothing is left to be sent. @returns the subjects that somebody got */
async function subjectsTo ({ sql }: TestService, smtp: TestSmtp, { email }: Pick<Person, 'email'>): Promise<string[]> {
  await until(async () => (await sql('SELECT 1 FROM outbox WHERE dead_at IS NULL')).length === 0)
  return noticesIn(smtp).filter(({ to }) => to.includes(email)).map(({ mail: { subject = '' } }) => subject)
}

const logIn = ({ call }: TestService, { email, password }: Pick<Person, 'email' | 'password'>, options: Call = {}) => call('POST /auth/login', { ...options, json: { email, password, ...options.json as object } })

t.test('a new device', async t => {
  const { service, smtp } = await start(t)
  const told = (person: Person) => subjectsTo(service, smtp, person)

  t.test('is told of once: from then on its network is known', async t => {
    const person = await service.person()
    t.equal((await logIn(service, person, { from: ELSEWHERE, headers: { 'user-agent': FIREFOX } })).status, 200)
    t.strictSame(await told(person), ['New device at Shop'])
    t.match(noticesIn(smtp).find(({ to }) => to.includes(person.email))?.mail.text, 'Firefox on Linux')
    t.equal((await logIn(service, person, { from: ELSEWHERE, headers: { 'user-agent': 'other' } })).status, 200)
    t.equal((await told(person)).length, 1)
    t.equal((await logIn(service, person, { from: '203.0.113.10' })).status, 200)
    t.equal((await told(person)).length, 2)
  })

  t.test('is none at registration, nor where the account registered', async t => {
    const person = await service.person()
    t.equal((await logIn(service, person)).status, 200)
    t.strictSame(await told(person), [])
  })

  t.test('is none at the first login to an account that has never been used', async t => {
    const person = await service.person()
    await service.sql('DELETE FROM sessions WHERE user_id = $1::uuid', person.user.id)
    await service.sql("DELETE FROM audit_events WHERE subject_id = $1::uuid AND action = 'login'", person.user.id)
    t.equal((await logIn(service, person, { from: ELSEWHERE })).status, 200)
    t.strictSame(await told(person), [])
  })

  t.test('is one for an account whose sessions are long gone', async t => {
    const person = await service.person()
    await service.sql('DELETE FROM sessions WHERE user_id = $1::uuid', person.user.id)
    t.equal((await logIn(service, person)).status, 200, 'the address of an earlier login is known')
    t.strictSame(await told(person), [])
    t.equal((await logIn(service, person, { from: ELSEWHERE })).status, 200)
    t.strictSame(await told(person), ['New device at Shop'])
  })

  t.test('is none with the cookie of an earlier login, of the same account', async t => {
    const [person, other] = [await service.person(), await service.person()]
    const { device } = await service.cookiesOf(person)
    const cookies = { device: device ?? '' }
    const headers = { 'sec-fetch-site': 'same-origin' }
    t.equal((await logIn(service, person, { from: ELSEWHERE, cookies, headers })).status, 200)
    t.strictSame(await told(person), [])
    t.equal((await logIn(service, other, { from: ELSEWHERE, cookies, headers })).status, 200)
    t.strictSame(await told(other), ['New device at Shop'])
  })

  t.test('a wrong password tells nobody', async t => {
    const person = await service.person()
    t.equal((await logIn(service, { ...person, password: 'not the right password' }, { from: ELSEWHERE })).status, 401)
    t.strictSame(await told(person), [])
  })

  t.test('what a client calls itself is in no mail', async t => {
    const person = await service.person()
    for (const [index, userAgent] of ['Buy/1.0 (pills) now', 'https://evil.example/x y', 'Free money/1 '].entries()) {
      t.equal((await logIn(service, person, { from: `203.0.113.${100 + index}`, headers: { 'user-agent': userAgent } })).status, 200)
    }
    t.equal((await told(person)).length, 3)
    for (const { source, mail } of noticesIn(smtp).filter(({ to }) => to.includes(person.email))) {
      t.notMatch(source + String(mail.text), /evil\.example|pills|Free money|Buy\/1/)
      t.match(mail.text, 'used before: unknown')
    }
  })

  t.test('a login that fails to be stored tells nobody', async t => {
    const person = await service.person()
    const held = service.hold('sessions.open')
    const login = logIn(service, person, { from: ELSEWHERE })
    await held.reached
    await service.sql('UPDATE users SET disabled_at = now() WHERE id = $1::uuid', person.user.id)
    held.release()
    t.equal((await login).status, 401)
    t.strictSame(await told(person), [])
  })
})

t.test('a reused refresh token is told of, once', async t => {
  const { service, smtp } = await start(t)
  const person = await service.person()
  const refresh = (refreshToken: string) => service.call<{ refreshToken: string }>('POST /auth/refresh', { json: { refreshToken }, headers: { 'user-agent': FIREFOX } })
  const next = await refresh(person.refreshToken)
  await refresh(next.body.refreshToken)
  t.match(await refresh(person.refreshToken), { status: 401, body: { code: 'refresh_token_reused' } })
  await refresh(person.refreshToken)
  t.strictSame(await subjectsTo(service, smtp, person), ['A session at Shop was ended'])
  t.match(noticesIn(smtp)[0]?.mail.text, 'Firefox on Linux')
})

t.test('a new password is told of, in the language of the account', async t => {
  const { service, smtp } = await start(t)
  const person = await service.person()
  t.equal((await service.call('PATCH /auth/me', { token: person.accessToken, json: { locale: 'fr' } })).status, 200)
  t.equal((await service.call('POST /auth/password', present(person, { currentPassword: 'not the right password', newPassword: 'a staple of nine words' }))).status, 401)
  t.equal((await service.call('POST /auth/password', present(person, { currentPassword: PASSWORD, newPassword: 'a staple of nine words' }))).status, 200)
  t.match(await subjectsTo(service, smtp, person), [/mot de passe/])
})

t.test('a linked identity is told of, by the name of its provider', async t => {
  const smtp = await startSmtp(t)
  const { service, google, browser } = await startWorld(t, mailBy(smtp))
  const person = await service.person()
  google.accounts.set('ada', { email: person.email, email_verified: true })
  await service.sql('UPDATE users SET email_verified = true WHERE id = $1::uuid', person.user.id)
  const somebody = browser()
  t.equal((await signIn(somebody, 'google', { as: 'ada' })).error, null)
  t.ok(Object.keys(cookiesOf(somebody)).length > 0)
  t.strictSame(await subjectsTo(service, smtp, person), ['Google was linked to your account at Shop'])
  t.equal((await signIn(browser(), 'google', { as: 'ada' })).error, null)
  t.strictSame((await subjectsTo(service, smtp, person)).length, 1, 'signing in with it again is nothing new')
})

t.test('MAIL_NOTICES says which are sent', async t => {
  const { service, smtp } = await start(t, { MAIL_NOTICES: 'password_changed' })
  const person = await service.person()
  t.equal((await logIn(service, person, { from: ELSEWHERE })).status, 200)
  t.equal((await service.call('POST /auth/password', present(person, { currentPassword: PASSWORD, newPassword: 'a staple of nine words' }))).status, 200)
  t.strictSame(await subjectsTo(service, smtp, person), ['Your password for Shop was changed'])
})

t.test('where no mail is sent nothing is queued', async t => {
  const service = await startService(t, { NODE_ENV: 'production', ALLOW_EMBEDDED_DATABASE: 'true' })
  const person = await service.person()
  t.equal((await logIn(service, person, { from: ELSEWHERE })).status, 200)
  t.equal((await service.call('POST /auth/password', present(person, { currentPassword: PASSWORD, newPassword: 'a staple of nine words' }))).status, 200)
  t.strictSame(await service.sql('SELECT 1 FROM outbox'), [])
})
