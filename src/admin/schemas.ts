import { Type } from 'typebox'
import { BODY_PROBLEMS, jsonResponse } from '../http/openapi/openapi-responses.ts'
import { EXAMPLE, EXAMPLE_USER, Id, named, Nullable, RoleName, Time } from '../http/schemas.ts'

export const AdminUserSchema = Type.Object({
  id: Id,
  email: Type.String({ examples: [EXAMPLE.email] }),
  emailVerified: Type.Boolean(),
  name: Nullable(Type.String()),
  role: RoleName,
  disabled: Type.Boolean(),
  deletionDueAt: Nullable(Type.String({ format: 'date-time', description: 'When the account will be deleted, where its owner asked for it' })),
  emailUndeliverable: Type.Boolean({ description: 'Whether the mail server of the address refused it for good' }),
  createdAt: Time,
  updatedAt: Time
}, { description: 'An account, as admins see it' })

export const AdminUserPage = Type.Object({
  items: Type.Array(named('AdminUser')),
  nextCursor: Nullable(Type.String({ description: 'The cursor of the next page, or null on the last page.' }))
})

/** The path of one account. */
export const UserParams = Type.Object({ id: Id })
export const EXAMPLE_ADMIN_USER = { ...EXAMPLE_USER, disabled: false, deletionDueAt: null, emailUndeliverable: false, updatedAt: EXAMPLE.time }
export const WRITE_PROBLEMS = ['insufficient_user_authentication', ...BODY_PROBLEMS] as const
export const USER_PROBLEMS = ['unauthenticated', 'invalid_token', 'forbidden', 'cross_site_request', 'not_found', 'validation_failed', 'unavailable'] as const

export const ONE_USER = jsonResponse(named('AdminUser'), { description: 'The account.', example: EXAMPLE_ADMIN_USER })
