import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { Problem } from '../errors.ts'
import { answer, AUTHENTICATED, BODY_PROBLEMS, done, problems } from '../http/answers.ts'
import type { Guards } from '../http/authenticate.ts'
import { clientDetails } from '../http/client-details.ts'
import { EXAMPLE, EXAMPLE_USER, Id, named, Nullable, RoleName, Time } from '../http/schemas.ts'
import type { Propagation } from '../revocation/propagation.ts'
import type { Actor, StandingStore } from '../sessions/standing-store.ts'
import { readCursor, writeCursor } from './page.ts'
import type { AdminStore, ListedUser } from './store.ts'

/** What the routes of administration take. */
export interface AdminRoutesOptions {
  users: AdminStore
  standing: StandingStore
  propagation: Pick<Propagation, 'apply'>
  guards: Guards
  principal: (request: FastifyRequest) => Principal
}

export const AdminUserSchema = Type.Object({
  id: Id,
  email: Type.String({ examples: [EXAMPLE.email] }),
  emailVerified: Type.Boolean(),
  name: Nullable(Type.String()),
  role: RoleName,
  disabled: Type.Boolean(),
  createdAt: Time,
  updatedAt: Time
}, { description: 'An account, as an admin sees it' })

const AdminUserPage = Type.Object({
  items: Type.Array(named('AdminUser')),
  nextCursor: Nullable(Type.String({ description: 'null on the last page' }))
})

const Params = Type.Object({ id: Id })
const EXAMPLE_ADMIN_USER = { ...EXAMPLE_USER, disabled: false, updatedAt: EXAMPLE.time }
const DEFAULT_LIMIT = 50
const refusals = ['unauthenticated', 'invalid_token', 'forbidden', 'cross_site_request', 'not_found', 'validation_failed', 'unavailable'] as const

const account = answer(named('AdminUser'), { description: 'The account', example: EXAMPLE_ADMIN_USER })

export const adminRoutes: FastifyPluginAsyncTypebox<AdminRoutesOptions> = async (app, { users, standing, propagation, guards, principal }) => {
  app.addHook('onRequest', guards.authorize('admin'))

  app.get('/admin/users', {
    schema: {
      operationId: 'listUsers',
      tags: ['Admin'],
      summary: 'All accounts, oldest first',
      security: AUTHENTICATED,
      querystring: Type.Object({
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: DEFAULT_LIMIT, examples: [DEFAULT_LIMIT] })),
        cursor: Type.Optional(Type.String({ maxLength: 64, description: '`nextCursor` of the page before', examples: ['AYkKXayWd0u8zrMCCZqAVw'] }))
      }, { additionalProperties: false }),
      response: {
        200: answer(AdminUserPage, { description: 'One page', example: { items: [EXAMPLE_ADMIN_USER], nextCursor: null } }),
        ...problems('unauthenticated', 'invalid_token', 'forbidden', 'validation_failed', 'unavailable')
      }
    }
  }, async request => {
    const { limit = DEFAULT_LIMIT, cursor } = request.query
    const { items, next } = await users.listUsers({ limit, ...cursor !== undefined && { after: readCursor(cursor) } })
    return { items: items.map(presentUser), nextCursor: next === undefined ? null : writeCursor(next) }
  })

  app.get('/admin/users/:id', {
    schema: {
      operationId: 'getUser',
      tags: ['Admin'],
      summary: 'One account',
      security: AUTHENTICATED,
      params: Params,
      response: { 200: account, ...problems(...refusals) }
    }
  }, async request => {
    return presentUser(found(await users.findUser(request.params.id)))
  })

  app.patch('/admin/users/:id', {
    schema: {
      operationId: 'updateUser',
      tags: ['Admin'],
      summary: 'Change a role, disable or enable an account',
      description: 'Takes effect at once: tokens with the old role are refused, and a disabled account has no session left.',
      security: AUTHENTICATED,
      params: Params,
      body: Type.Object({ role: Type.Optional(RoleName), disabled: Type.Optional(Type.Boolean()) }, { additionalProperties: false, minProperties: 1, examples: [{ role: 'admin' }] }),
      response: { 200: account, ...problems(...refusals, ...BODY_PROBLEMS, 'last_admin') }
    }
  }, async request => {
    const { id } = request.params
    propagation.apply(found(await standing.setRoleAndStanding(id, request.body, actor(request))))
    return presentUser(found(await users.findUser(id)))
  })

  app.delete('/admin/users/:id', {
    schema: {
      operationId: 'deleteUser',
      tags: ['Admin'],
      summary: 'Delete an account',
      security: AUTHENTICATED,
      params: Params,
      response: { 204: done('The account is gone'), ...problems(...refusals, 'last_admin') }
    }
  }, async (request, reply) => {
    propagation.apply(found(await standing.remove(request.params.id, actor(request))))
    return reply.code(204).send(null)
  })

  app.delete('/admin/users/:id/sessions', {
    schema: {
      operationId: 'endUserSessions',
      tags: ['Admin'],
      summary: 'End all sessions of an account',
      security: AUTHENTICATED,
      params: Params,
      response: { 204: done('They have ended'), ...problems(...refusals) }
    }
  }, async (request, reply) => {
    propagation.apply(found(await standing.endAllSessions(request.params.id, actor(request))))
    return reply.code(204).send(null)
  })

  function actor (request: FastifyRequest): Actor {
    return { actorId: principal(request).id, ...clientDetails(request) }
  }
}

function found<T> (what: T | null | undefined): T {
  if (what === null || what === undefined) throw new Problem('not_found')
  return what
}

function presentUser ({ id, email, emailVerified, name, role, disabledAt, createdAt, updatedAt }: ListedUser) {
  return { id, email, emailVerified, name, role, disabled: disabledAt !== null, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() }
}
