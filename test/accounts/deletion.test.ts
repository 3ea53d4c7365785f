import t, { type Test } from 'tap'
import { createAccountDeletion } from '../../src/accounts/account-deletion.ts'
import { createDeletionStore } from '../../src/accounts/deletion-store.ts'
import { composeMail } from '../../src/mail/compose.ts'
import { createOutboxWriter } from '../../src/outbox/enqueue.ts'
import { deriveKeyRing } from '../../src/tokens/derived-keys.ts'
import { createEncryption } from '../../src/tokens/encryption.ts'
import { startSmtp, type Received, type TestSmtp } from '../mail/smtp.ts'
import { statefulSession } from '../sessions/session-rows.ts'
import { onPostgres, silent } from '../support/database.ts'
import { present } from '../support/presence.ts'
import { fieldsOf, isProblem } from '../support/problem.ts'
import { startService, type LoginBody, type Person, type Settings, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'

const DAY = 86_400_000

async function startWithMail (t: Test, settings: Settings = { ACCOUNT_DELETION_GRACE: '30d' }): Promise<{ service: TestService, smtp: TestSmtp, mailTo: (person: Person, subject: RegExp) => Promise<Received> }> {
  const smtp = await startSmtp(t)
  const service = await startService(t, { SMTP_URL: smtp.url, MAIL_FROM: 'no-reply@shop.example', SERVICE_NAME: 'Shop', ...settings })
  async function mailTo ({ email }: Person, subject: RegExp): Promise<Received> {
    const find = () => smtp.received.find(({ to, mail }) => to.includes(email) && subject.test(mail.subject ?? ''))
    await until(() => find() !== undefined)
    return find() as Received
  }
  return { service, smtp, mailTo }
}

/** Purges as the job does, every minute. */
function purgeOf ({ config, database }: TestService) {
  const mail = composeMail({ config, baseUrl: config.publicUrl, database, log: silent })
  const { prepare } = createOutboxWriter(database, createEncryption(deriveKeyRing(config.secrets, 'outbox')))
  return createAccountDeletion({ store: createDeletionStore(database), grace: config.accountDeletionGrace, mail, outbox: { prepare, wake () {} }, ledgerSync: { apply () {} } }).purge
}

const remove = (service: TestService, person: LoginBody) => service.call('POST /auth/me/delete', present(person))
const logIn = ({ call }: TestService, { email, password }: Pick<Person, 'email' | 'password'>) => call('POST /auth/login', { json: { email, password } })
const tokenIn = ({ mail: { text = '' } }: Received) => /\/account\/restore\?token=([\w-]{43})\n/.exec(text)?.[1] ?? ''
const restore = ({ call }: TestService, token: string) => call('POST /auth/me/restore', { json: { token } })
const dueOf = async ({ sql }: TestService, { user }: Person) => (await sql<{ due: Date | null }>('SELECT deletion_due_at AS due FROM users WHERE id = $1::uuid', user.id))[0]?.due
const makeDue = ({ sql }: TestService, { user }: Person) => sql("UPDATE users SET deletion_due_at = now() - interval '1 second' WHERE id = $1::uuid", user.id)
const actionsOf = async ({ sql }: TestService, { user }: Person) => (await sql<{ action: string }>("SELECT action FROM audit_events WHERE subject_id = $1::uuid AND action IN ('deletion_schedule', 'account_restore', 'delete') ORDER BY id", user.id)).map(({ action }) => action)

t.test('without a time of grace an account is deleted at once, and its owner is told', async t => {
  const { service, mailTo } = await startWithMail(t, {})
  const person = await service.person()
  t.equal((await remove(service, person)).status, 204)
  t.strictSame(await service.sql('SELECT 1 FROM users WHERE id = $1::uuid', person.user.id), [])
  isProblem(t, await logIn(service, person), 'invalid_credentials')
  t.match((await mailTo(person, /was deleted/)).mail.text, 'Your account at Shop'.slice(5))
  t.strictSame(await actionsOf(service, person), ['delete'])
})

t.test('with a time of grace', async t => {
  const { service, smtp, mailTo } = await startWithMail(t)

  t.test('the account is closed at once, and says until when only to whoever knows the password', async t => {
    const person = await service.person()
    const cookies = await statefulSession(service, person)
    const answer = await remove(service, person)
    t.equal(answer.status, 204)

    isProblem(t, await service.call('GET /auth/me', { token: person.accessToken }), 'invalid_token')
    isProblem(t, await service.call('GET /auth/verify', { cookies }), 'invalid_token')
    isProblem(t, await service.call('POST /auth/refresh', { json: { refreshToken: person.refreshToken } }), 'invalid_refresh_token')
    const refused = await logIn(service, person)
    isProblem(t, refused, 'account_deletion_scheduled')
    const due = await dueOf(service, person)
    t.equal(refused.body.deletionDueAt, due?.toISOString())
    t.ok(Math.abs(Number(due) - Date.now() - 30 * DAY) < 60_000)
    isProblem(t, await logIn(service, { ...person, password: 'not the right password' }), 'invalid_credentials')
    isProblem(t, await service.call('POST /auth/register', { json: { email: person.email, password: person.password } }), 'email_taken')
    t.strictSame(await service.sql('SELECT 1 FROM sessions WHERE user_id = $1::uuid AND ended_at IS NULL', person.user.id), [])
    t.strictSame(await actionsOf(service, person), ['deletion_schedule'])
    t.match(await service.sql("SELECT detail FROM audit_events WHERE subject_id = $1::uuid AND action = 'login' AND outcome = 'failure' AND detail IS NOT NULL", person.user.id), [{ detail: { code: 'account_deletion_scheduled' } }])
  })

  t.test('the link of the mail takes it back, once', async t => {
    const person = await service.person()
    await remove(service, person)
    const token = tokenIn(await mailTo(person, /will be deleted/))
    t.equal(token.length, 43)
    t.equal((await service.sql('SELECT 1 FROM one_time_tokens WHERE position($1::bytea in hash) > 0', Buffer.from(token))).length, 0, 'only its hash is stored')

    t.equal((await restore(service, token)).status, 204)
    t.equal(await dueOf(service, person), null)
    t.equal((await logIn(service, person)).status, 200)
    isProblem(t, await service.call('GET /auth/me', { token: person.accessToken }), 'invalid_token', 'what was ended stays so')
    isProblem(t, await restore(service, token), 'link_used')
    await mailTo(person, /is kept/)
    t.strictSame(await actionsOf(service, person), ['deletion_schedule', 'account_restore'])
    t.notMatch(service.logText(), token)
  })

  t.test('a former address that is held is told too, with the link', async t => {
    const [person, other] = [await service.person(), await service.person()]
    const hold = (email: string, { user }: Person, until: string) => service.sql('INSERT INTO email_holds (email, user_id, until) VALUES ($1, $2::uuid, now() + $3::interval)', email, user.id, until)
    await hold('former@example.com', person, '1 day')
    await hold('expired@example.com', person, '-1 day')
    await hold('others@example.com', other, '1 day')
    await hold(person.email, person, '1 day')
    await remove(service, person)
    const token = tokenIn(await mailTo({ ...person, email: 'former@example.com' }, /will be deleted/))
    await until(async () => (await service.sql('SELECT 1 FROM outbox WHERE dead_at IS NULL')).length === 0)
    const told = smtp.received.filter(({ to, mail }) => [person.email, 'former@example.com', 'expired@example.com', 'others@example.com'].some(email => to.includes(email)) && /will be deleted/.test(mail.subject ?? ''))
    t.strictSame(told.flatMap(({ to }) => to).sort(), [person.email, 'former@example.com'].sort())
    t.equal((await restore(service, token)).status, 204)
    t.equal(await dueOf(service, person), null)
  })

  t.test('what is no such link is refused', async t => {
    const person = await service.person()
    await remove(service, person)
    const token = tokenIn(await mailTo(person, /will be deleted/))
    for (const wrong of [token.slice(1), `${token}x`, 'x', 'ü', 'x'.repeat(256)]) isProblem(t, await restore(service, wrong), 'link_invalid', wrong.slice(0, 5))
    for (const json of [{}, { token: '' }, { token: 5 }, { token, more: 1 }, { token: 'x'.repeat(257) }]) t.ok(fieldsOf(await service.call('POST /auth/me/restore', { json })).length > 0)
    await service.sql("UPDATE one_time_tokens SET expires_at = now() WHERE user_id = $1::uuid AND purpose = 'restore'", person.user.id)
    isProblem(t, await restore(service, token), 'link_expired')
    t.ok(await dueOf(service, person))
  })

  t.test('asked again after it was taken back, the earlier link stays void', async t => {
    const person = await service.person()
    await remove(service, person)
    const first = tokenIn(await mailTo(person, /will be deleted/))
    t.equal((await restore(service, first)).status, 204)
    await remove(service, { ...person, ...await service.logIn(person) })
    isProblem(t, await restore(service, first), 'link_invalid')
    t.ok(await dueOf(service, person))
  })

  t.test('of many who follow the link at once, one takes it back', onPostgres, async t => {
    const person = await service.person()
    await remove(service, person)
    const token = tokenIn(await mailTo(person, /will be deleted/))
    const answers = await Promise.all(Array.from({ length: 20 }, () => restore(service, token)))
    t.strictSame(answers.map(({ status }) => status).sort(), [204, ...Array.from({ length: 19 }, () => 410)])
    t.strictSame(await actionsOf(service, person), ['deletion_schedule', 'account_restore'])
  })

  t.test('asked for twice at once, it is scheduled once', async t => {
    const person = await service.person()
    const answers = await Promise.all([remove(service, person), remove(service, person)])
    t.ok(answers.some(({ status }) => status === 204))
    t.strictSame(await actionsOf(service, person), ['deletion_schedule'])
    t.equal((await service.sql("SELECT 1 FROM one_time_tokens WHERE user_id = $1::uuid AND purpose = 'restore'", person.user.id)).length, 1)
  })

  t.test('a login that had begun before finds it closed', async t => {
    const person = await service.person()
    const held = service.hold('sessions.open')
    const login = logIn(service, person)
    await held.reached
    await remove(service, person)
    held.release()
    isProblem(t, await login, 'account_deletion_scheduled')
    t.strictSame(await service.sql('SELECT 1 FROM sessions WHERE user_id = $1::uuid AND ended_at IS NULL', person.user.id), [])
  })

  t.test('when it is over the account goes, with all that was kept of it', async t => {
    const purge = purgeOf(service)
    const [person, other] = [await service.person(), await service.person()]
    await remove(service, person)
    await remove(service, other)
    const token = tokenIn(await mailTo(person, /will be deleted/))
    t.equal(await purge(100), 0, 'not before')
    await makeDue(service, person)
    t.equal(await purge(100), 1)
    t.strictSame(await service.sql('SELECT 1 FROM users WHERE id = $1::uuid', person.user.id), [])
    t.ok(await dueOf(service, other))
    t.match(await service.sql('SELECT kind::text AS kind, min_version AS version FROM revocations WHERE subject = $1 ORDER BY id DESC LIMIT 1', person.user.id), [{ kind: 'user', version: 2_147_483_647 }])
    t.strictSame(await actionsOf(service, person), ['deletion_schedule', 'delete'])
    isProblem(t, await logIn(service, person), 'invalid_credentials')
    isProblem(t, await restore(service, token), 'link_invalid')
    await mailTo(person, /was deleted/)
    t.equal((await service.call('POST /auth/register', { json: { email: person.email, password: person.password } })).status, 201)
  })

  t.test('an account that is taken back while it is purged stays, or is gone: never both', onPostgres, async t => {
    const purge = purgeOf(service)
    const people = await Promise.all(Array.from({ length: 8 }, () => service.person()))
    const tokens = await Promise.all(people.map(async person => {
      await remove(service, person)
      return tokenIn(await mailTo(person, /will be deleted/))
    }))
    for (const person of people) await makeDue(service, person)
    const [answers] = await Promise.all([Promise.all(tokens.map(token => restore(service, token))), purge(100), purge(100)])
    for (const [index, { status }] of answers.entries()) {
      const person = people[index] as Person
      t.strictSame(await actionsOf(service, person), ['deletion_schedule', status === 204 ? 'account_restore' : 'delete'])
      t.equal((await logIn(service, person)).status, status === 204 ? 200 : 401)
    }
  })

  t.test('an admin sees it, takes it back, or deletes at once', async t => {
    const [admin, person, other] = [await service.admin(), await service.person(), await service.person()]
    const see = async (id: string) => (await service.call<{ deletionDueAt: string | null }>(`GET /admin/users/${id}`, { token: admin.accessToken })).body.deletionDueAt
    t.equal(await see(person.user.id), null)
    await remove(service, person)
    t.equal(await see(person.user.id), (await dueOf(service, person))?.toISOString())
    const token = tokenIn(await mailTo(person, /will be deleted/))

    const asAdmin = (id: string, how: object = present(admin)) => service.call(`POST /admin/users/${id}/restore`, how)
    isProblem(t, await asAdmin(person.user.id, present(other)), 'forbidden')
    isProblem(t, await asAdmin(person.user.id, { token: admin.accessToken }), 'insufficient_user_authentication')
    isProblem(t, await asAdmin('01890a5d-ac96-774b-bcce-b302099a8057'), 'not_found')
    t.equal((await asAdmin(person.user.id)).status, 204)
    t.equal(await see(person.user.id), null)
    isProblem(t, await restore(service, token), 'link_invalid')
    t.match(await service.sql("SELECT actor_id AS actor FROM audit_events WHERE action = 'account_restore' AND subject_id = $1::uuid", person.user.id), [{ actor: admin.user.id }])
    await mailTo(person, /is kept/)
    t.equal((await asAdmin(person.user.id)).status, 204, 'once more changes nothing')
    t.strictSame(await actionsOf(service, person), ['deletion_schedule', 'account_restore'])

    t.equal((await service.call(`DELETE /admin/users/${other.user.id}`, present(admin))).status, 204)
    t.strictSame(await service.sql('SELECT 1 FROM users WHERE id = $1::uuid', other.user.id), [])
    await mailTo(other, /was deleted/)
  })
})

t.test('the last admin cannot go, and one who is to be deleted is none', async t => {
  const { service } = await startWithMail(t)
  const [one, other] = [await service.admin(), await service.admin()]
  t.equal((await remove(service, one)).status, 204)
  isProblem(t, await remove(service, other), 'last_admin')
  isProblem(t, await service.call(`PATCH /admin/users/${other.user.id}`, present(other, { role: 'user' })), 'last_admin')
  t.equal((await service.call(`DELETE /admin/users/${one.user.id}`, present(other))).status, 204)
})

t.test('a disabled account stays disabled when its deletion is taken back', async t => {
  const { service, mailTo } = await startWithMail(t)
  const [admin, person] = [await service.admin(), await service.person()]
  await remove(service, person)
  t.equal((await service.call(`PATCH /admin/users/${person.user.id}`, present(admin, { disabled: true }))).status, 200)
  isProblem(t, await logIn(service, person), 'invalid_credentials')
  t.equal((await restore(service, tokenIn(await mailTo(person, /will be deleted/)))).status, 204)
  isProblem(t, await logIn(service, person), 'invalid_credentials')
})

t.test('where no mail is sent there is no link: an admin takes it back', async t => {
  const service = await startService(t, { NODE_ENV: 'production', ALLOW_EMBEDDED_DATABASE: 'true', ACCOUNT_DELETION_GRACE: '30d' })
  const [admin, person] = [await service.admin(), await service.person()]
  t.equal((await remove(service, person)).status, 204)
  t.strictSame(await service.sql('SELECT 1 FROM outbox'), [])
  t.strictSame(await service.sql("SELECT 1 FROM one_time_tokens WHERE purpose = 'restore'"), [])
  isProblem(t, await restore(service, 'x'.repeat(43)), 'not_found')
  t.equal((await service.call(`POST /admin/users/${person.user.id}/restore`, present(admin))).status, 204)
  t.equal((await logIn(service, person)).status, 200)
})
