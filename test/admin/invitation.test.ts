import t from 'tap'
import type { ProblemDocument } from '../../src/errors.ts'
import { mailsOf } from '../support/inbox.ts'
import { age, present } from '../support/presence.ts'
import { startService, type LoginBody, type Person, type TestService } from '../support/service.ts'

const NEW = 'a staple of nine words'

type Created = LoginBody['user'] & { disabled: boolean }
const create = ({ call }: TestService, admin: Person, json: object) => call<Created>('POST /admin/users', present(admin, { invite: true, ...json }))
const invite = ({ call }: TestService, admin: Person, id: string) => call<{ expiresIn: number } & ProblemDocument>(`POST /admin/users/${id}/invite`, present(admin))
const reset = ({ call }: TestService, token: string | undefined) => call('POST /auth/password/reset', { json: { token, newPassword: NEW } })
const logIn = ({ call }: TestService, email: string) => call<LoginBody>('POST /auth/login', { json: { email, password: NEW } })

t.test('an admin invites somebody, who chooses a password by the link: also for another role than user', async t => {
  const service = await startService(t)
  const admin = await service.admin()
  const { status, body } = await create(service, admin, { email: 'Grace@example.com', role: 'admin' })
  t.equal(status, 201)
  t.match(body, { email: 'grace@example.com', emailVerified: false, role: 'admin' })
  const [mail, ...more] = await mailsOf(service, 'grace@example.com')
  t.strictSame(more, [])
  t.match(mail, { message: 'invitation', code: '', text: /\/account\/reset\?token=[\w-]{43}\n[^]*7 days/ })
  t.match(await service.sql("SELECT expires_at - now() > interval '6 days 23 hours' AND expires_at - now() <= interval '7 days' AS week FROM one_time_tokens WHERE purpose = 'invitation'"), [{ week: true }])
  t.match((await service.call(`GET /account/reset?token=${mail?.token}`)), { status: 200, text: /grace@example\.com/ })

  t.equal((await reset(service, mail?.token)).status, 204)
  t.match(await logIn(service, 'grace@example.com'), { status: 200, body: { user: { id: body.id, emailVerified: true, role: 'admin' } } })
  t.match(await reset(service, mail?.token), { status: 410, body: { code: 'link_used' } })
  t.strictSame(await service.sql("SELECT actor_id::text AS actor, detail FROM audit_events WHERE action = 'create'"), [{ actor: admin.user.id, detail: { role: 'admin', invited: true } }])
})

t.test('without `invite` nothing is mailed', async t => {
  const service = await startService(t)
  t.equal((await create(service, await service.admin(), { email: 'grace@example.com', invite: false })).status, 201)
  t.strictSame(await mailsOf(service), [])
})

t.test('an address that is taken gets no invitation', async t => {
  const service = await startService(t)
  const [admin, person] = [await service.admin(), await service.person()]
  t.match(await create(service, admin, { email: person.email }), { status: 409, body: { code: 'email_taken' } })
  t.strictSame(await mailsOf(service), [])
})

t.test('a second invitation voids the first; whoever asks for a new password does not', async t => {
  const service = await startService(t)
  const admin = await service.admin()
  const { body: { id } } = await create(service, admin, { email: 'grace@example.com' })
  const [first] = await mailsOf(service, 'grace@example.com')
  const again = await invite(service, admin, id)
  t.equal(again.status, 202)
  t.strictSame(again.body, { expiresIn: 7 * 24 * 3600 })
  const [second] = await mailsOf(service, 'grace@example.com')
  t.not(second?.token, first?.token)
  t.match(await reset(service, first?.token), { status: 410, body: { code: 'link_expired' } })
  await service.call('POST /auth/password/forgot', { json: { email: 'grace@example.com' } })
  t.equal((await mailsOf(service, 'grace@example.com'))[0]?.message, 'password_reset')
  t.equal((await reset(service, second?.token)).status, 204)
  t.match(await service.sql("SELECT actor_id::text AS actor, subject_id::text AS subject FROM audit_events WHERE action = 'invite'"), [{ actor: admin.user.id, subject: id }])
})

t.test('inviting needs an admin, presence, and an account that is enabled', async t => {
  const service = await startService(t)
  const [admin, person] = [await service.admin(), await service.person()]
  const { user: { id } } = person
  t.match(await invite(service, person, id), { status: 403, body: { code: 'forbidden' } })
  t.match(await service.call(`POST /admin/users/${id}/invite`), { status: 401, body: { code: 'unauthenticated' } })
  t.match(await service.call(`POST /admin/users/${id}/invite`, { token: admin.accessToken }), { status: 401, body: { code: 'insufficient_user_authentication' } })
  t.match(await invite(service, admin, '01890a5d-ac96-774b-bcce-b302099a8057'), { status: 404, body: { code: 'not_found' } })
  t.match(await invite(service, admin, 'x'), { status: 422, body: { code: 'validation_failed' } })
  await service.sql('UPDATE users SET disabled_at = now() WHERE id = $1::uuid', id)
  t.match(await invite(service, admin, id), { status: 403, body: { code: 'account_disabled' } })
  await age(service, admin.user.id)
  t.match(await invite(service, admin, id), { status: 401, body: { code: 'insufficient_user_authentication' } })
  t.strictSame(await mailsOf(service), [])
})

t.test('of an account that somebody else had registered nothing else is left', async t => {
  const service = await startService(t)
  const [admin, squatter] = [await service.admin(), await service.admin()]
  await service.sql("INSERT INTO identities (id, user_id, provider, issuer, subject) VALUES (gen_random_uuid(), $1::uuid, 'acme', 'https://acme.example', '1')", squatter.user.id)
  t.equal((await invite(service, admin, squatter.user.id)).status, 202)
  const [mail] = await mailsOf(service, squatter.email)
  t.equal((await reset(service, mail?.token)).status, 204, 'whatever its role: the operator vouches for the address')
  t.strictSame(await service.sql('SELECT 1 FROM identities'), [])
  t.equal((await service.call('GET /auth/me', { token: squatter.accessToken })).status, 401)
  t.equal((await service.call('POST /auth/refresh', { json: { refreshToken: squatter.refreshToken } })).status, 401)
  t.equal((await service.call('POST /auth/login', { json: squatter, headers: {} })).status, 422)
  t.equal((await service.call('POST /auth/login', { json: { email: squatter.email, password: squatter.password } })).status, 401)
})

t.test('the invitation is in the language of the account, and otherwise in that of the admin', async t => {
  const service = await startService(t)
  const admin = await service.admin()
  const { body: { id } } = await service.call<Created>('POST /admin/users', { ...present(admin, { email: 'grace@example.com', invite: true }), headers: { 'accept-language': 'de' } })
  t.match((await mailsOf(service, 'grace@example.com'))[0], { subject: /^Ihr Konto/ })
  await service.sql("UPDATE users SET locale = 'fr' WHERE id = $1::uuid", id)
  await invite(service, admin, id)
  t.match((await mailsOf(service, 'grace@example.com'))[0], { subject: /^Votre compte/ })
})

t.test('a service that sends no mail invites nobody', async t => {
  const service = await startService(t, { NODE_ENV: 'production', ALLOW_EMBEDDED_DATABASE: 'true' })
  const admin = await service.admin()
  t.match(await create(service, admin, { email: 'grace@example.com' }), { status: 422, body: { code: 'validation_failed', errors: [{ field: 'invite' }] } })
  t.strictSame(await service.sql("SELECT 1 FROM users WHERE email = 'grace@example.com'"), [])
  t.equal((await invite(service, admin, admin.user.id)).status, 404)
})
