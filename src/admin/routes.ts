import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Guards } from '../http/authenticate.ts'
import { Id, Nullable, problems, RoleName, Time } from '../http/schemas.ts'
import { readCursor, writeCursor } from './page.ts'
import type { AdminStore, ListedUser } from './store.ts'

/** What the routes of administration take. */
export interface AdminRoutesOptions {
  users: AdminStore
  guards: Guards
}

const AdminUserSchema = Type.Object({
  id: Id,
  email: Type.String({ examples: ['ada@example.com'] }),
  emailVerified: Type.Boolean(),
  name: Nullable(Type.String()),
  role: RoleName,
  disabled: Type.Boolean(),
  createdAt: Time,
  updatedAt: Time
}, { $id: 'AdminUser', description: 'An account, as an admin sees it' })

export const adminRoutes: FastifyPluginAsyncTypebox<AdminRoutesOptions> = async (app, { users, guards }) => {
  app.addSchema(AdminUserSchema)

  app.get('/admin/users', {
    onRequest: guards.authorize('admin'),
    schema: {
      operationId: 'listUsers',
      tags: ['Admin'],
      summary: 'All accounts, oldest first',
      security: [{ bearerAuth: [] }, { cookieAuth: [] }],
      querystring: Type.Object({
        limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
        cursor: Type.Optional(Type.String({ maxLength: 64, description: '`nextCursor` of the page before' }))
      }, { additionalProperties: false }),
      response: {
        200: Type.Object({
          items: Type.Array(Type.Ref('AdminUser')),
          nextCursor: Nullable(Type.String({ description: 'null on the last page' }))
        }),
        ...problems('unauthenticated', 'invalid_token', 'forbidden', 'validation_failed', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { limit, cursor } = request.query
    const { items, next } = await users.listUsers({ limit, ...cursor !== undefined && { after: readCursor(cursor) } })
    reply.header('cache-control', 'no-store')
    return { items: items.map(presentUser), nextCursor: next === undefined ? null : writeCursor(next) }
  })
}

function presentUser ({ id, email, emailVerified, name, role, disabledAt, createdAt, updatedAt }: ListedUser) {
  return { id, email, emailVerified, name, role, disabled: disabledAt !== null, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() }
}
