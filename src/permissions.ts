import type { Role } from 'countersign-verifier'

/** What can be permitted. */
export type Permission = 'users:read' | 'users:write' | 'audit:read'

const PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  user: [],
  admin: ['users:read', 'users:write', 'audit:read']
}

/** Whether a role permits something. One that only a newer version of the service knows permits nothing. */
export function permits (role: Role, permission: Permission): boolean {
  return Object.hasOwn(PERMISSIONS, role) && PERMISSIONS[role].includes(permission)
}
