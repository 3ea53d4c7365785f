import t from 'tap'
import { mailsOf } from '../support/inbox.ts'
import { present } from '../support/presence.ts'
import { PASSWORD, startService } from '../support/service.ts'

const MADE_OF_IT = ['zebrashop', 'zebra-shop', 'Zebra Shop 1', 'Countersign1!']
const isRefused = (field: string) => ({ status: 422, body: { code: 'weak_password', errors: [{ field, code: 'contains_service_name' }] } })

t.test('wherever a password is chosen, it is not made of what the service is called', async t => {
  const service = await startService(t, { SERVICE_NAME: 'Zebra Shop' })
  const person = await service.person()
  const { body: { requestId } } = await service.call<{ requestId: string }>('POST /auth/password/forgot', { json: { email: person.email } })
  const [mail] = await mailsOf(service, person.email)
  for (const made of MADE_OF_IT) {
    t.match(await service.call('POST /auth/register', { json: { email: 'ada@example.com', password: made } }), isRefused('password'), made)
    t.match(await service.call('POST /auth/password', present(person, { currentPassword: PASSWORD, newPassword: made })), isRefused('newPassword'), made)
    t.match(await service.call('POST /auth/password/reset', { json: { token: mail?.token, newPassword: made } }), isRefused('newPassword'), made)
    t.match(await service.call('POST /auth/password/reset', { json: { requestId, code: mail?.code, newPassword: made } }), isRefused('newPassword'), made)
  }
  t.equal((await service.call('POST /auth/password/reset', { json: { token: mail?.token, newPassword: 'a zebra of nine words' } })).status, 204)
})

t.test('nor where an address has to be proved first', async t => {
  const service = await startService(t, { SERVICE_NAME: 'Zebra Shop', REQUIRE_VERIFIED_EMAIL: 'true' })
  for (const password of MADE_OF_IT) t.match(await service.call('POST /auth/register', { json: { email: 'ada@example.com', password } }), isRefused('password'), password)
})

t.test('without a name a service is called by its host; a short name forbids nothing', async t => {
  const byHost = await startService(t, { PUBLIC_URL: 'https://login.zebra.example' })
  for (const password of ['zebra2026', 'login.zebra.example']) t.match(await byHost.call('POST /auth/register', { json: { email: 'ada@example.com', password } }), isRefused('password'), password)
  const short = await startService(t, { SERVICE_NAME: 'X' })
  t.equal((await short.call('POST /auth/register', { json: { email: 'ada@example.com', password: 'xylophone boxes' } })).status, 201)
  t.equal((await short.call('POST /auth/register', { json: { email: 'bob@example.com', password: 'x-x-83-xx-z' } })).status, 201)
})
