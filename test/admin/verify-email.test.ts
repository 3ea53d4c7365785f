import t from 'tap'
import { present } from '../support/presence.ts'
import { isProblem } from '../support/problem.ts'
import { startService, type LoginBody } from '../support/service.ts'

t.test('an admin vouches for an address', async t => {
  const service = await startService(t)
  const [admin, person] = [await service.admin(), await service.person()]
  const verify = (id: string, options: object = present(admin)) => service.call(`POST /admin/users/${id}/verify-email`, options)
  const isVerified = async () => (await service.call<LoginBody['user']>('GET /auth/me', { token: person.accessToken })).body.emailVerified

  isProblem(t, await verify(person.user.id, present(person)), 'forbidden')
  isProblem(t, await verify(person.user.id, { token: admin.accessToken }), 'insufficient_user_authentication')
  isProblem(t, await verify('01890a5d-ac96-774b-bcce-b302099a8057'), 'not_found')
  t.equal(await isVerified(), false)
  t.equal((await verify(person.user.id)).status, 204)
  t.equal(await isVerified(), true)
  t.equal((await service.logIn(person)).user.emailVerified, true, 'and in the next tokens')
  t.equal((await verify(person.user.id)).status, 204, 'once more changes nothing')
  t.same(await service.sql("SELECT actor_id AS actor, outcome FROM audit_events WHERE action = 'email_verify' AND subject_id = $1::uuid", person.user.id), [{ actor: admin.user.id, outcome: 'success' }])
})
