import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type { Principal, Role } from 'countersign-verifier'
import type { Revocation } from 'countersign-verifier/internal'
import { invalidField, Problem } from '../errors.ts'
import { jsonResponse, AUTHENTICATED, BODY_PROBLEMS, emptyResponse, problemResponses } from '../http/openapi/openapi-responses.ts'
import type { Guards } from '../http/guards.ts'
import { clientInfo, type Actor } from '../http/client-info.ts'
import { normaliseEmail } from '../http/email-address.ts'
import { Email, EXAMPLE, EXAMPLE_USER, Id, Name, named, Nullable, RoleName, Time } from '../http/schemas.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import { NEEDS_PRESENCE, PresenceBody, PresenceToken } from '../sessions/schemas.ts'
import { nextCursor, PAGE_QUERY, pageRequest } from '../http/cursor-pagination.ts'
import type { AdminStore, ListedUser } from './store.ts'

/** Changes of an account that revoke its credentials; `undefined` where there is no such account. */
export interface AccountStatusChanges {
  setRoleAndStatus (userId: string, change: { role?: Role | undefined, disabled?: boolean | undefined }, actor: Actor): Promise<Revocation[] | undefined>
  remove (userId: string, actor: Actor): Promise<Revocation[] | undefined>
  endAllSessions (userId: string, actor: Actor): Promise<Revocation[] | undefined>
}

export interface AdminRoutesOptions {
  users: AdminStore
  accountStatus: AccountStatusChanges
  ledgerSync: Pick<LedgerSync, 'apply'>
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
}, { description: 'An account, as admins see it' })

const AdminUserPage = Type.Object({
  items: Type.Array(named('AdminUser')),
  nextCursor: Nullable(Type.String({ description: 'The cursor of the next page, or null on the last page.' }))
})

const Params = Type.Object({ id: Id })
const EXAMPLE_ADMIN_USER = { ...EXAMPLE_USER, disabled: false, updatedAt: EXAMPLE.time }
const WRITE_PROBLEMS = ['insufficient_user_authentication', ...BODY_PROBLEMS] as const
const USER_PROBLEMS = ['unauthenticated', 'invalid_token', 'forbidden', 'cross_site_request', 'not_found', 'validation_failed', 'unavailable'] as const

const account = jsonResponse(named('AdminUser'), { description: 'The account.', example: EXAMPLE_ADMIN_USER })

export const adminRoutes: FastifyPluginAsyncTypebox<AdminRoutesOptions> = async (app, { users, accountStatus, ledgerSync, guards, principal }) => {
  const [reading, writing] = [{ onRequest: guards.permit('users:read') }, { onRequest: guards.permit('users:write') }]

  app.get('/admin/users', {
    ...reading,
    schema: {
      operationId: 'listUsers',
      tags: ['Admin'],
      summary: 'All accounts, oldest first',
      security: AUTHENTICATED,
      querystring: Type.Object(PAGE_QUERY, { additionalProperties: false }),
      response: {
        200: jsonResponse(AdminUserPage, { description: 'A page of accounts.', example: { items: [EXAMPLE_ADMIN_USER], nextCursor: null } }),
        ...problemResponses('unauthenticated', 'invalid_token', 'forbidden', 'validation_failed', 'unavailable')
      }
    }
  }, async request => {
    const { items, next } = await users.listUsers(pageRequest(request.query))
    return { items: items.map(presentUser), nextCursor: nextCursor(next) }
  })

  app.post('/admin/users', {
    ...writing,
    schema: {
      operationId: 'createUser',
      tags: ['Admin'],
      summary: 'Create an account for another user',
      description: `The account has no password, because admins neither see nor choose one. Its owner signs in with a provider that verifies the e-mail address. ${NEEDS_PRESENCE}`,
      security: AUTHENTICATED,
      body: Type.Object({ email: Email, name: Type.Optional(Name), role: Type.Optional(RoleName), refreshToken: PresenceToken }, { additionalProperties: false, examples: [{ email: EXAMPLE.email, name: EXAMPLE.name, role: 'user' }] }),
      response: {
        201: jsonResponse(named('AdminUser'), { description: 'The account was created.', example: EXAMPLE_ADMIN_USER }),
        ...problemResponses('unauthenticated', 'invalid_token', 'forbidden', 'cross_site_request', 'email_taken', ...WRITE_PROBLEMS, 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { email, name = null, role = 'user' } = request.body
    const user = await users.createUser({ email: normaliseEmail(email), name, role }, actor(request))
    return reply.code(201).send(presentUser(user))
  })

  app.get('/admin/users/:id', {
    ...reading,
    schema: {
      operationId: 'getUser',
      tags: ['Admin'],
      summary: 'One account',
      security: AUTHENTICATED,
      params: Params,
      response: { 200: account, ...problemResponses(...USER_PROBLEMS) }
    }
  }, async request => {
    return presentUser(assertFound(await users.findUser(request.params.id)))
  })

  app.patch('/admin/users/:id', {
    ...writing,
    schema: {
      operationId: 'updateUser',
      tags: ['Admin'],
      summary: 'Change a role, disable or enable an account',
      description: `Takes effect at once: tokens with the old role are refused, and disabling an account ends its sessions. ${NEEDS_PRESENCE}`,
      security: AUTHENTICATED,
      params: Params,
      body: Type.Object({ role: Type.Optional(RoleName), disabled: Type.Optional(Type.Boolean()), refreshToken: PresenceToken }, { additionalProperties: false, minProperties: 1, examples: [{ role: 'admin' }] }),
      response: { 200: account, ...problemResponses(...USER_PROBLEMS, ...WRITE_PROBLEMS, 'last_admin') }
    }
  }, async request => {
    const { params: { id }, body: { role, disabled } } = request
    if (role === undefined && disabled === undefined) throw invalidField('role', 'is required, or disabled')
    ledgerSync.apply(assertFound(await accountStatus.setRoleAndStatus(id, { role, disabled }, actor(request))))
    return presentUser(assertFound(await users.findUser(id)))
  })

  app.delete('/admin/users/:id', {
    ...writing,
    schema: {
      operationId: 'deleteUser',
      tags: ['Admin'],
      summary: 'Delete an account',
      description: NEEDS_PRESENCE,
      security: AUTHENTICATED,
      params: Params,
      body: PresenceBody,
      response: { 204: emptyResponse('The account was deleted.'), ...problemResponses(...USER_PROBLEMS, ...WRITE_PROBLEMS, 'last_admin') }
    }
  }, async (request, reply) => {
    ledgerSync.apply(assertFound(await accountStatus.remove(request.params.id, actor(request))))
    return reply.code(204).send(null)
  })

  app.delete('/admin/users/:id/sessions', {
    ...writing,
    schema: {
      operationId: 'endUserSessions',
      tags: ['Admin'],
      summary: 'End all sessions of an account',
      description: NEEDS_PRESENCE,
      security: AUTHENTICATED,
      params: Params,
      body: PresenceBody,
      response: { 204: emptyResponse('The sessions were ended.'), ...problemResponses(...USER_PROBLEMS, ...WRITE_PROBLEMS) }
    }
  }, async (request, reply) => {
    ledgerSync.apply(assertFound(await accountStatus.endAllSessions(request.params.id, actor(request))))
    return reply.code(204).send(null)
  })

  function actor (request: FastifyRequest): Actor {
    return { actorId: principal(request).id, ...clientInfo(request) }
  }
}

function assertFound<T> (found: T | null | undefined): T {
  if (found === null || found === undefined) throw new Problem('not_found')
  return found
}

function presentUser ({ id, email, emailVerified, name, role, disabledAt, createdAt, updatedAt }: ListedUser) {
  return { id, email, emailVerified, name, role, disabled: disabledAt !== null, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() }
}
