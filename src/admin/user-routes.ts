import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Role } from 'countersign-verifier'
import type { Revocation } from 'countersign-verifier/internal'
import { invalidField, Problem } from '../errors.ts'
import type { Actor } from '../http/client-info.ts'
import { nextCursor, PAGE_QUERY, pageRequest } from '../http/cursor-pagination.ts'
import { normaliseEmail } from '../http/email-address.ts'
import type { Guards } from '../http/guards.ts'
import { AUTHENTICATED, emptyResponse, jsonResponse, problemResponses } from '../http/openapi/openapi-responses.ts'
import { Email, EXAMPLE, Name, named, RoleName } from '../http/schemas.ts'
import { negotiateLocale } from '../messages/locales.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import { NEEDS_PRESENCE, PresenceBody, PresenceToken } from '../sessions/schemas.ts'
import { assertFound, type ActorOf } from './acting-admin.ts'
import type { PrepareInvitation } from './prepare-invitation.ts'
import { AdminUserPage, EXAMPLE_ADMIN_USER, ONE_USER, USER_PROBLEMS, UserParams, WRITE_PROBLEMS } from './schemas.ts'
import type { AdminStore, ListedUser } from './store.ts'

export interface UserRoutesOptions {
  users: AdminStore
  prepareInvitation: PrepareInvitation
  /** To be called once an invitation is stored. */
  wakeOutbox: () => void
  /** Gives `undefined` where there is no such account. */
  setRoleAndStatus: (userId: string, change: { role?: Role | undefined, disabled?: boolean | undefined }, actor: Actor) => Promise<Revocation[] | undefined>
  /** @returns whether there is such an account */
  removeNow: (userId: string, actor: Actor) => Promise<boolean>
  ledgerSync: Pick<LedgerSync, 'apply'>
  guards: Guards
  actorOf: ActorOf
}

/** Accounts, for admins: found, made, changed, deleted. */
export const userRoutes: FastifyPluginAsyncTypebox<UserRoutesOptions> = async (app, { users, prepareInvitation, wakeOutbox, setRoleAndStatus, removeNow, ledgerSync, guards, actorOf }) => {
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
      description: `The account has no password, because admins neither see nor choose one. Its owner signs in with a provider that verifies the e-mail address; or, with \`invite\`, chooses a password by a mailed link, which is good for seven days and verifies the address. ${NEEDS_PRESENCE}`,
      security: AUTHENTICATED,
      body: Type.Object({ email: Email, name: Type.Optional(Name), role: Type.Optional(RoleName), invite: Type.Optional(Type.Boolean({ description: 'Whether to mail an invitation. Only where the service sends mail.' })), refreshToken: PresenceToken }, { additionalProperties: false, examples: [{ email: EXAMPLE.email, name: EXAMPLE.name, role: 'user', invite: true }] }),
      response: {
        201: jsonResponse(named('AdminUser'), { description: 'The account was created.', example: EXAMPLE_ADMIN_USER }),
        ...problemResponses('unauthenticated', 'invalid_token', 'forbidden', 'cross_site_request', 'email_taken', ...WRITE_PROBLEMS, 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { email: given, name = null, role = 'user', invite = false } = request.body
    const email = normaliseEmail(given)
    const invitation = invite ? prepareInvitation({ email, locale: negotiateLocale(request.headers['accept-language']) }) : undefined
    if (invite && invitation === undefined) throw invalidField('invite', 'needs a service that sends mail')
    const user = await users.createUser({ email, name, role }, actorOf(request), invitation)
    if (invite) wakeOutbox()
    return reply.code(201).send(presentUser(user))
  })

  app.get('/admin/users/:id', {
    ...reading,
    schema: {
      operationId: 'getUser',
      tags: ['Admin'],
      summary: 'One account',
      security: AUTHENTICATED,
      params: UserParams,
      response: { 200: ONE_USER, ...problemResponses(...USER_PROBLEMS) }
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
      params: UserParams,
      body: Type.Object({ role: Type.Optional(RoleName), disabled: Type.Optional(Type.Boolean()), refreshToken: PresenceToken }, { additionalProperties: false, minProperties: 1, examples: [{ role: 'admin' }] }),
      response: { 200: ONE_USER, ...problemResponses(...USER_PROBLEMS, ...WRITE_PROBLEMS, 'last_admin') }
    }
  }, async request => {
    const { params: { id }, body: { role, disabled } } = request
    if (role === undefined && disabled === undefined) throw invalidField('role', 'is required, or disabled')
    ledgerSync.apply(assertFound(await setRoleAndStatus(id, { role, disabled }, actorOf(request))))
    return presentUser(assertFound(await users.findUser(id)))
  })

  app.delete('/admin/users/:id', {
    ...writing,
    schema: {
      operationId: 'deleteUser',
      tags: ['Admin'],
      summary: 'Delete an account',
      description: `At once, whatever \`ACCOUNT_DELETION_GRACE\` is. ${NEEDS_PRESENCE}`,
      security: AUTHENTICATED,
      params: UserParams,
      body: PresenceBody,
      response: { 204: emptyResponse('The account was deleted.'), ...problemResponses(...USER_PROBLEMS, ...WRITE_PROBLEMS, 'last_admin') }
    }
  }, async (request, reply) => {
    if (!await removeNow(request.params.id, actorOf(request))) throw new Problem('not_found')
    return reply.code(204).send(null)
  })
}

function presentUser ({ id, email, emailVerified, name, role, disabledAt, deletionDueAt, emailUndeliverableAt, createdAt, updatedAt }: ListedUser) {
  return { id, email, emailVerified, name, role, disabled: disabledAt !== null, deletionDueAt: deletionDueAt?.toISOString() ?? null, emailUndeliverable: emailUndeliverableAt !== null, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() }
}
