import t from 'tap'
import { mailsOf } from '../support/inbox.ts'
import { startService, type TestService } from '../support/service.ts'
import { changeAddress, newAddress, pendingChange, verifiedPerson } from '../email-change/changes.ts'

const OURS = { 'sec-fetch-site': 'same-origin' }

const post = ({ call }: TestService, path: string, fields: Record<string, string>, { headers = OURS, cookies = {} }: { headers?: Record<string, string>, cookies?: Record<string, string> } = {}) =>
  call(`POST ${path}`, { text: new URLSearchParams(fields).toString(), headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, cookies })
const addressOf = async ({ sql }: TestService, id: string) => (await sql<{ email: string }>('SELECT email FROM users WHERE id = $1::uuid', id))[0]?.email

t.test('a new address is confirmed by the button in the browser that asked for it', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const cookies = await service.cookiesOf(person)
  const email = newAddress()
  t.equal((await service.call('POST /auth/email/change', { json: { email }, cookies, headers: OURS })).status, 202)
  const [mail] = await mailsOf(service, email)
  const [, path = ''] = /http:\/\/localhost:3000(\/\S+)/.exec(mail?.text ?? '') ?? []
  t.equal(path, `/account/email/confirm?token=${mail?.token}`)
  for (const method of ['HEAD', 'GET', 'HEAD', 'GET']) {
    const { status, text, headers } = await service.call(`${method} ${path}`, { cookies })
    t.equal(status, 200)
    t.match(headers, { 'cache-control': 'no-store', 'referrer-policy': 'same-origin' })
    if (method === 'GET') t.match(text, new RegExp(`Confirm your new[^]*value="${email}" readonly`))
    t.notMatch(text, 'type="password"')
  }
  t.equal(await addressOf(service, person.user.id), person.email, 'opening it changes nothing')
  t.match(await post(service, '/account/email/confirm', { token: mail?.token ?? '' }, { cookies, headers: { 'sec-fetch-site': 'cross-site' } }), { status: 403 })
  t.match(await post(service, '/account/email/confirm', { token: mail?.token ?? '' }, { cookies }), { status: 200, text: /role="status">Your e-mail address has been changed/ })
  t.equal(await addressOf(service, person.user.id), email)
  t.match(await post(service, '/account/email/confirm', { token: mail?.token ?? '' }, { cookies }), { status: 410, text: /used already/ })
})

t.test('… and with the password in any other, which is said at its field when it is wrong', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const { token, email } = await pendingChange(service, person)
  const path = '/account/email/confirm'
  t.match(await service.call(`GET ${path}?token=${token}`), { status: 200, text: /name="password" type="password" autocomplete="current-password"/ })
  t.match(await post(service, path, { token }), { status: 401, text: /role="alert">Enter the password of the account/ })
  const wrong = await post(service, path, { token, password: 'not the password' })
  t.equal(wrong.status, 401)
  t.match(wrong.text, /<title>Error: Confirm[^]*aria-invalid="true" aria-describedby="objection why"[^]*id="objection">This is not the password of the account/)
  t.notMatch(wrong.text, 'role="alert"')
  t.notMatch(wrong.text, person.email, 'whoever has the link alone does not learn the address of the account')
  t.equal((await post(service, path, { token, password: person.password, username: email })).status, 200)
  t.equal(await addressOf(service, person.user.id), email)
})

t.test('the old address takes the account back by the button', async t => {
  const service = await startService(t)
  const person = await verifiedPerson(service)
  const { email, revertToken } = await changeAddress(service, person)
  const path = '/account/email/revert'
  for (const method of ['HEAD', 'GET']) t.equal((await service.call(`${method} ${path}?token=${revertToken}`)).status, 200)
  t.match((await service.call(`GET ${path}?token=${revertToken}`)).text, new RegExp(`Take your account back[^]*value="${person.email}" readonly`))
  t.equal(await addressOf(service, person.user.id), email, 'opening it changes nothing')
  t.match(await post(service, path, { token: revertToken }, { headers: { origin: 'https://evil.example' } }), { status: 403 })
  t.match(await post(service, path, { token: revertToken }), { status: 200, text: /role="status">Your account has its old address again/ })
  t.equal(await addressOf(service, person.user.id), person.email)
  t.match(await service.call(`GET ${path}?token=${revertToken}`), { status: 410, text: /used already/ })
  t.match(await service.call(`GET ${path}?token=x`), { status: 400, text: /not complete/ })
  t.notMatch(service.logText(), new RegExp(revertToken))
})
