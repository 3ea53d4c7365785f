import t from 'tap'
import { allMailsOf } from '../support/inbox.ts'
import { present } from '../support/presence.ts'
import { PASSWORD, startService, type Call, type TestService } from '../support/service.ts'

interface Asked { requestId: string }

const NOBODY = 'nobody@example.com'
const GUESS = '042917'

// A code could be the one that is guessed.
async function mailedAnother (service: TestService, to: string, ask: () => Promise<string>): Promise<string> {
  const requestId = await ask()
  return (await allMailsOf(service, to))[0]?.code === GUESS ? mailedAnother(service, to, ask) : requestId
}

t.test('a wrong code is answered, and counted by the same write, where no code was mailed', async t => {
  const open = await startService(t, { CODE_LOGIN: 'true' })
  const verified = await startService(t, { REQUIRE_VERIFIED_EMAIL: 'true' })
  const [ada, grace] = [await open.person(), await open.person()]
  await open.sql('UPDATE users SET email_verified = true WHERE id = $1::uuid', grace.user.id)
  await verified.sql("INSERT INTO users (id, email, name, role, version, email_verified) VALUES (gen_random_uuid(), 'taken@example.com', '', 'user', 1, true)")

  const asked = async (service: TestService, path: string, call: Call) => {
    const { status, body } = await service.call<Asked>(`POST ${path}`, call)
    t.equal(status, 202, path)
    return body.requestId
  }
  const withEmail = (service: TestService, path: string, fields = {}) => (email: string) => asked(service, path, { json: { email, ...fields } })
  const flows = {
    'a forgotten password': { service: open, mailed: ada.email, other: NOBODY, ask: withEmail(open, '/auth/password/forgot'), guess: '/auth/password/reset', fields: { newPassword: 'another password by far' }, call: {} },
    'a code to log in': { service: open, mailed: ada.email, other: NOBODY, ask: withEmail(open, '/auth/code'), guess: '/auth/code/login', fields: {}, call: {} },
    'another address': { service: open, mailed: 'free@example.com', other: ada.email, ask: (email: string) => asked(open, '/auth/email/change', present(grace, { email })), guess: '/auth/email/change/confirm', fields: {}, call: { token: grace.accessToken } },
    'a registration': { service: verified, mailed: 'free@example.com', other: 'taken@example.com', ask: withEmail(verified, '/auth/register', { password: PASSWORD }), guess: '/auth/register/confirm', fields: {}, call: {} }
  }
  for (const [name, { service, mailed, other, ask, guess, fields, call }] of Object.entries(flows)) {
    const requests = { real: await mailedAnother(service, mailed, () => ask(mailed)), decoy: await ask(other) }
    await allMailsOf(service)
    const triesOf = async (requestId: string) => (await service.sql('SELECT tries, used_at FROM one_time_tokens WHERE request_hash = sha256($1::bytea)', Buffer.from(requestId)))[0]
    for (let tries = 1; tries <= 6; tries++) {
      const answers = await Promise.all(Object.values(requests).map(requestId => service.call(`POST ${guess}`, { json: { requestId, code: GUESS, ...fields }, ...call })))
      for (const { status, body } of answers) t.match({ status, body }, { status: 401, body: { code: 'invalid_code' } }, name)
      for (const requestId of Object.values(requests)) t.strictSame(await triesOf(requestId), { tries: Math.min(tries, 5), used_at: null }, `${name}, guess ${tries}`)
    }
    const foreign = { real: await mailedAnother(service, mailed, () => ask(mailed)), decoy: await ask(other) }
    await allMailsOf(service)
    for (const requestId of Object.values(foreign)) {
      const path = service === verified || guess === '/auth/code/login' ? '/auth/password/reset' : '/auth/code/login'
      const json = { requestId, code: GUESS, ...path === '/auth/password/reset' && { newPassword: 'another password by far' } }
      t.match(await service.call(`POST ${path}`, { json }), { status: 401, body: { code: 'invalid_code' } }, name)
      t.strictSame(await triesOf(requestId), { tries: 1, used_at: null }, `${name}, guessed at ${path}`)
    }
  }
})
