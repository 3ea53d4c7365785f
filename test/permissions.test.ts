import t from 'tap'
import { ROLES, type Role } from 'countersign-verifier'
import { permits } from '../src/permissions.ts'

t.test('an admin may what a user may not', async t => {
  for (const permission of ['users:read', 'users:write', 'audit:read'] as const) {
    t.strictSame(ROLES.filter(role => permits(role, permission)), ['admin'], permission)
  }
})

t.test('a role that is not known permits nothing', async t => {
  for (const role of ['root', '', '__proto__', 'constructor', 'toString']) t.notOk(permits(role as Role, 'users:read'), role)
})
