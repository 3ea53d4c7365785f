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
import { negotiateLocale } from '../messages/locales.ts'
import { nextCursor, PAGE_QUERY, pageRequest } from '../http/cursor-pagination.ts'
import type { PrepareInvitation } from './prepare-invitation.ts'
import type { AdminStore, ListedUser } from './store.ts'

/** Changes of an account; those that revoke its credentials give `undefined` where there is no such account. */
export interface AccountStatusChanges {
  setRoleAndStatus (userId: string, change: { role?: Role | undefined, disabled?: boolean | undefined }, actor: Actor): Promise<Revocation[] | undefined>
  endAllSessions (userId: string, actor: Actor): Promise<Revocation[] | undefined>
  /** @returns whether there is such an account */
  unlock (userId: string, actor: Actor): Promise<boolean>
  /** @returns whether there is such an account */
  verifyEmail (userId: string, actor: Actor): Promise<boolean>
}

/** The end of accounts, and how it is averted. Both return whether there is such an account. */
export interface AccountEnd {
  removeNow (userId: string, actor: Actor): Promise<boolean>
  restore (userId: string, actor: Actor): Promise<boolean>
}

export interface AdminRoutesOptions {
  users: AdminStore
  prepareInvitation: PrepareInvitation
  /** Whether mail is sent at all. */
  canInvite: boolean
  /** To be called once an invitation is stored. */
  wakeOutbox: () => void
  accountStatus: AccountStatusChanges
  deletion: AccountEnd
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
  deletionDueAt: Nullable(Type.String({ format: 'date-time', description: 'When the account will be deleted, where its owner asked for it' })),
  emailUndeliverable: Type.Boolean({ description: 'Whether the mail server of the address refused it for good' }),
  createdAt: Time,
  updatedAt: Time
}, { description: 'An account, as admins see it' })

const AdminUserPage = Type.Object({
  items: Type.Array(named('AdminUser')),
  nextCursor: Nullable(Type.String({ description: 'The cursor of the next page, or null on the last page.' }))
})

const Params = Type.Object({ id: Id })
const EXAMPLE_ADMIN_USER = { ...EXAMPLE_USER, disabled: false, deletionDueAt: null, emailUndeliverable: false, updatedAt: EXAMPLE.time }
const WRITE_PROBLEMS = ['insufficient_user_authentication', ...BODY_PROBLEMS] as const
const USER_PROBLEMS = ['unauthenticated', 'invalid_token', 'forbidden', 'cross_site_request', 'not_found', 'validation_failed', 'unavailable'] as const

const account = jsonResponse(named('AdminUser'), { description: 'The account.', example: EXAMPLE_ADMIN_USER })

export const adminRoutes: FastifyPluginAsyncTypebox<AdminRoutesOptions> = async (app, { users, prepareInvitation, canInvite, wakeOutbox, accountStatus, deletion, ledgerSync, guards, principal }) => {
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
    const invitation = invite ? prepareInvitation({ email, locale: localeOf(request) }) : undefined
    if (invite && invitation === undefined) throw invalidField('invite', 'needs a service that sends mail')
    const user = await users.createUser({ email, name, role }, actor(request), invitation)
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
      description: `At once, whatever \`ACCOUNT_DELETION_GRACE\` is. ${NEEDS_PRESENCE}`,
      security: AUTHENTICATED,
      params: Params,
      body: PresenceBody,
      response: { 204: emptyResponse('The account was deleted.'), ...problemResponses(...USER_PROBLEMS, ...WRITE_PROBLEMS, 'last_admin') }
    }
  }, async (request, reply) => {
    if (!await deletion.removeNow(request.params.id, actor(request))) throw new Problem('not_found')
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

  app.post('/admin/users/:id/unlock', {
    ...writing,
    schema: {
      operationId: 'unlockUser',
      tags: ['Admin'],
      summary: 'Unlock the password of an account',
      description: `Clears the failed attempts to log in, from everywhere. ${NEEDS_PRESENCE}`,
      security: AUTHENTICATED,
      params: Params,
      body: PresenceBody,
      response: { 204: emptyResponse('The account was unlocked.'), ...problemResponses(...USER_PROBLEMS, ...WRITE_PROBLEMS) }
    }
  }, async (request, reply) => {
    if (!await accountStatus.unlock(request.params.id, actor(request))) throw new Problem('not_found')
    return reply.code(204).send(null)
  })

  app.post('/admin/users/:id/restore', {
    ...writing,
    schema: {
      operationId: 'restoreUser',
      tags: ['Admin'],
      summary: 'Keep an account that is to be deleted',
      description: `Takes back what its owner asked for, and makes the link in the mail void. ${NEEDS_PRESENCE}`,
      security: AUTHENTICATED,
      params: Params,
      body: PresenceBody,
      response: { 204: emptyResponse('The account is kept.'), ...problemResponses(...USER_PROBLEMS, ...WRITE_PROBLEMS) }
    }
  }, async (request, reply) => {
    if (!await deletion.restore(request.params.id, actor(request))) throw new Problem('not_found')
    return reply.code(204).send(null)
  })

  app.post('/admin/users/:id/verify-email', {
    ...writing,
    schema: {
      operationId: 'verifyUserEmail',
      tags: ['Admin'],
      summary: 'Vouch for the e-mail address of an account',
      description: `The address counts as verified from then on, in the tokens that are issued next. ${NEEDS_PRESENCE}`,
      security: AUTHENTICATED,
      params: Params,
      body: PresenceBody,
      response: { 204: emptyResponse('The address is verified.'), ...problemResponses(...USER_PROBLEMS, ...WRITE_PROBLEMS) }
    }
  }, async (request, reply) => {
    if (!await accountStatus.verifyEmail(request.params.id, actor(request))) throw new Problem('not_found')
    return reply.code(204).send(null)
  })

  if (canInvite) {
    app.post('/admin/users/:id/invite', {
      ...writing,
      schema: {
        operationId: 'inviteUser',
        tags: ['Admin'],
        summary: 'Invite the owner of an account',
        description: `Mails a link by which the owner chooses a password, which is good for seven days and voids earlier invitations. You vouch for the address: whoever follows the link gets the account, whatever its role, and where the address was never verified nothing else that opens the account is left. ${NEEDS_PRESENCE}`,
        security: AUTHENTICATED,
        params: Params,
        body: PresenceBody,
        response: { 202: jsonResponse(Type.Object({ expiresIn: Type.Integer({ description: 'How long the link is good, in seconds', examples: [604_800] }) }), { description: 'The invitation is on its way.', example: { expiresIn: 604_800 } }), ...problemResponses(...USER_PROBLEMS, ...WRITE_PROBLEMS, 'account_disabled') }
      }
    }, async (request, reply) => {
      const { life: expiresIn } = assertFound(await users.invite(request.params.id, actor(request), ({ email, locale }) => {
        const invitation = prepareInvitation({ email, locale: locale ?? localeOf(request) })
        if (invitation === undefined) throw new Error('An invitation needs mail')
        return invitation
      }))
      wakeOutbox()
      return reply.code(202).send({ expiresIn })
    })
  }

  function actor (request: FastifyRequest): Actor {
    return { actorId: principal(request).id, ...clientInfo(request) }
  }
}

function localeOf ({ headers }: FastifyRequest): string | undefined {
  return negotiateLocale(headers['accept-language'])
}

function assertFound<T> (found: T | null | undefined): T {
  if (found === null || found === undefined) throw new Problem('not_found')
  return found
}

function presentUser ({ id, email, emailVerified, name, role, disabledAt, deletionDueAt, emailUndeliverableAt, createdAt, updatedAt }: ListedUser) {
  return { id, email, emailVerified, name, role, disabled: disabledAt !== null, deletionDueAt: deletionDueAt?.toISOString() ?? null, emailUndeliverable: emailUndeliverableAt !== null, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() }
}
