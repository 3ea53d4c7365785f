import type { Role } from 'countersign-verifier'

/** What a role can permit. */
export type Permission = 'users:read' | 'users:write' | 'audit:read'

const PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  user: [],
  admin: ['users:read', 'users:write', 'audit:read']
}

/** @returns whether a role permits something. A role of a newer version of the service permits nothing here. */
export function permits (role: Role, permission: Permission): boolean {
  return Object.hasOwn(PERMISSIONS, role) && PERMISSIONS[role].includes(permission)
}
