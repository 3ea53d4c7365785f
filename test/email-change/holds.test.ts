import t from 'tap'
import { onPostgres, testDatabase } from '../support/database.ts'
import { mailsOf } from '../support/inbox.ts'
import { present } from '../support/presence.ts'
import { PASSWORD, startService, type TestService } from '../support/service.ts'
import { ask, changeAddress, confirm, newAddress, pendingChange, verifiedPerson } from './changes.ts'

const register = ({ call }: TestService, email: string) => call('POST /auth/register', { json: { email, password: PASSWORD } })

t.test('a former address counts as taken: nobody registers it, is given it, or changes to it', async t => {
  const service = await startService(t)
  const [owner, somebody, admin] = [await verifiedPerson(service), await verifiedPerson(service), await service.admin()]
  const { email } = owner
  const pending = await pendingChange(service, somebody)
  await changeAddress(service, owner)

  t.match(await register(service, email.toUpperCase()), { status: 409, body: { code: 'email_taken' } })
  t.match(await service.call('POST /admin/users', present(admin, { email })), { status: 409, body: { code: 'email_taken' } })
  t.equal((await ask(service, somebody, email)).status, 202)
  t.strictSame((await mailsOf(service, email)).filter(({ message }) => message === 'email_change' || message === 'existing_account'), [], 'its mailbox hears nothing of it')
  await service.sql("UPDATE one_time_tokens SET data = data || jsonb_build_object('email', $1::text) WHERE purpose = 'email_change' AND used_at IS NULL", email)
  t.match(await confirm(service, { token: pending.token }, { token: somebody.accessToken }), { status: 409, body: { code: 'email_taken' } })
  t.equal((await service.sql('SELECT 1 FROM users WHERE email = $1', email)).length, 0)

  await service.sql("UPDATE email_holds SET until = now() - interval '1 second'")
  t.equal((await register(service, email)).status, 201, 'until it is over')
})

t.test('a verified address is held as soon as a change is asked, and for seven days after it', async t => {
  const service = await startService(t)
  const owner = await verifiedPerson(service)
  const { token } = await pendingChange(service, owner)
  const hours = async () => (await service.sql<{ email: string, hours: number }>('SELECT email, (extract(epoch FROM until - now()) / 3600)::float8 AS hours FROM email_holds'))[0]
  t.match(await hours(), { email: owner.email })
  t.ok(((await hours())?.hours ?? 0) > 10 / 60, 'longer than the change can be confirmed')
  t.equal((await confirm(service, { token }, { token: owner.accessToken })).status, 204)
  t.ok(((await hours())?.hours ?? 0) > 7 * 24)
  t.ok(((await hours())?.hours ?? 0) < 7 * 24 + 2)
})

t.test('a registration of the old address at the moment of the change never gets it, sixty times of sixty', { ...onPostgres, timeout: 300_000 }, async t => {
  const { url = '' } = await testDatabase(t)
  const [one, two] = [await startService(t, { DATABASE_URL: url }), await startService(t, { DATABASE_URL: url })]
  const mailTo = async (email: string) => (await Promise.all([mailsOf(one, email), mailsOf(two, email)])).flat().find(({ message }) => message === 'email_change')?.token
  let [taken, changed] = [0, 0]
  for (let round = 0; round < 60; round++) {
    const owner = await verifiedPerson(one)
    const email = newAddress()
    await ask(two, owner, email)
    const token = await mailTo(email)
    const [confirmed, ...registered] = await Promise.all([
      confirm(one, { token }, { token: owner.accessToken }),
      ...Array.from({ length: 4 }, (_, index) => register(index % 2 === 0 ? two : one, owner.email))
    ])
    if (confirmed.status === 204) changed++
    taken += registered.filter(({ status }) => status !== 409).length
  }
  t.equal(changed, 60)
  t.equal(taken, 0)
})
