import t from 'tap'
import { isProblem } from '../support/problem.ts'
import { present } from '../support/presence.ts'
import { PASSWORD, startService } from '../support/service.ts'

t.test('an admin unlocks an account', async t => {
  const service = await startService(t, { RATE_LIMITS: 'login=off,network=off,lock=5' })
  const [admin, person] = [await service.admin(), await service.person()]
  const logIn = (password: string) => service.call('POST /auth/login', { json: { email: person.email, password }, from: '203.0.113.1' })
  const unlock = (id: string, options: object) => service.call(`POST /admin/users/${id}/unlock`, options)

  for (let i = 0; i < 3; i++) await logIn('not the right password')
  isProblem(t, await logIn(PASSWORD), 'too_many_failures')

  isProblem(t, await unlock(person.user.id, present(person)), 'forbidden')
  isProblem(t, await unlock(person.user.id, { token: admin.accessToken }), 'insufficient_user_authentication')
  isProblem(t, await unlock('01890a5d-ac96-774b-bcce-b302099a8057', present(admin)), 'not_found')
  t.equal((await unlock(person.user.id, present(admin))).status, 204)
  t.equal((await logIn(PASSWORD)).status, 200)
  t.same(await service.sql("SELECT actor_id AS actor, outcome, ip FROM audit_events WHERE action = 'unlock' AND subject_id = $1::uuid", person.user.id), [{ actor: admin.user.id, outcome: 'success', ip: '127.0.0.1' }])
})
