import t from 'tap'
import { isAddressRefusal } from '../../src/mail/smtp-failure.ts'
import { present } from '../support/presence.ts'
import { startService, type LoginBody, type Person } from '../support/service.ts'
import { until } from '../support/until.ts'
import { startSmtp } from './smtp.ts'

interface Me { emailUndeliverable: boolean }

t.test('an address that is refused for good', async t => {
  const smtp = await startSmtp(t)
  const service = await startService(t, { SMTP_URL: smtp.url, MAIL_FROM: 'no-reply@shop.example' })
  const isUndeliverable = async ({ accessToken: token }: LoginBody) => (await service.call<Me>('GET /auth/me', { token })).body.emailUndeliverable
  const inTheEyesOf = async (admin: LoginBody, { user }: Person) => (await service.call<Me>(`GET /admin/users/${user.id}`, { token: admin.accessToken })).body.emailUndeliverable
  let device = 0
  // Each login from elsewhere causes a mail.
  const causeMail = (person: Person) => service.logIn(person, { from: `203.0.113.${++device}` })
  const settled = () => until(async () => (await service.sql('SELECT 1 FROM outbox WHERE dead_at IS NULL')).length === 0)

  t.test('is marked for its owner and the admin, until it takes mail again', async t => {
    const [admin, person, other] = [await service.admin(), await service.person(), await service.person()]
    t.equal(await isUndeliverable(person), false)
    smtp.trouble = { stage: 'RCPT TO', code: 550, of: recipient => recipient === person.email }
    await causeMail(person)
    await causeMail(other)
    await settled()
    t.equal(await isUndeliverable(person), true)
    t.equal(await isUndeliverable(other), false)
    t.equal(await inTheEyesOf(admin, person), true)
    const list = await service.call<{ items: Array<Me & { id: string }> }>('GET /admin/users', { token: admin.accessToken })
    t.match(list.body.items.find(({ id }) => id === person.user.id), { emailUndeliverable: true })

    smtp.trouble = undefined
    await causeMail(person)
    await settled()
    t.equal(await isUndeliverable(person), false)
    t.equal(await inTheEyesOf(admin, person), false)
  })

  t.test('is not one that is only busy, or whose server refuses what was sent', async t => {
    const person = await service.person()
    smtp.trouble = { stage: 'DATA', code: 554 }
    await causeMail(person)
    await settled()
    t.equal(await isUndeliverable(person), false)
    smtp.trouble = { stage: 'RCPT TO', code: 450 }
    await causeMail(person)
    await until(async () => (await service.sql('SELECT 1 FROM outbox WHERE last_error LIKE $1', '%450%')).length === 1)
    t.equal(await isUndeliverable(person), false)
    smtp.trouble = undefined
  })

  t.test('is not that of an account which has another by then', async t => {
    const person = await service.person()
    smtp.trouble = { stage: 'RCPT TO', code: 550 }
    await service.sql('UPDATE users SET email = $2 WHERE id = $1::uuid', person.user.id, `new-${person.email}`)
    const changed = { ...person, email: `new-${person.email}` }
    smtp.trouble.of = recipient => recipient === person.email
    await causeMail(changed)
    await until(async () => smtp.received.some(({ to }) => to.includes(changed.email)))
    t.equal(await isUndeliverable(person), false)
    t.equal((await service.call('POST /auth/me/delete', present(person))).status, 204)
  })
})

t.test('while a server takes nothing more, as for its quota, mail to all but four waits for it', async t => {
  const smtp = await startSmtp(t)
  const service = await startService(t, { SMTP_URL: smtp.url, MAIL_FROM: 'no-reply@shop.example' })
  const persons = await Promise.all(Array.from({ length: 12 }, () => service.person()))
  const waiting = () => service.sql<{ attempts: number, isDead: boolean }>('SELECT attempts, dead_at IS NOT NULL AS "isDead" FROM outbox WHERE claim IS NULL')
  await until(async () => (await service.sql('SELECT 1 FROM outbox')).length === 0)
  const { length: received } = smtp.received
  const { 'RCPT TO': before = 0 } = smtp.reached
  smtp.trouble = { stage: 'RCPT TO', code: 552 }
  for (const [device, person] of persons.entries()) await service.logIn(person, { from: `203.0.113.${device}` })
  // Five in a row, and more after the first pause.
  await until(() => (smtp.reached['RCPT TO'] ?? 0) - before >= 7)
  await until(async () => (await waiting()).length === persons.length)
  t.strictSame((await waiting()).filter(({ isDead }) => !isDead), Array(persons.length - 4).fill({ attempts: 0, isDead: false }))
  t.equal((await service.sql('SELECT 1 FROM users WHERE email_undeliverable_at IS NOT NULL')).length, 4)

  smtp.trouble = undefined
  await until(() => smtp.received.length === received + persons.length - 4)
  t.equal((await waiting()).filter(({ isDead }) => isDead).length, 4)
})

t.test('only what a server says of the mailbox is about the address', async t => {
  const refusal = (response: string, command = 'RCPT TO') => isAddressRefusal({ command, responseCode: Number(response.slice(0, 3)), response })
  for (const response of ['550 no such user', '550 5.1.1 User unknown', '552 5.2.2 Mailbox full', '550-5.1.1 The account does not exist', '550 5.4.4 Domain not found']) t.ok(refusal(response), response)
  for (const response of ['550 5.7.1 Service unavailable; client host blocked', '554 5.7.26 unauthenticated sender', '553 5.3.0 refused', '450 4.2.1 try later', '550 5.6.0 bad content']) t.notOk(refusal(response), response)
  t.notOk(refusal('554 5.1.1 no', 'DATA'))
})
