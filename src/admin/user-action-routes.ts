import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Revocation } from 'countersign-verifier/internal'
import { Problem } from '../errors.ts'
import type { Actor } from '../http/client-info.ts'
import type { Guards } from '../http/guards.ts'
import { AUTHENTICATED, emptyResponse, jsonResponse, problemResponses } from '../http/openapi/openapi-responses.ts'
import { negotiateLocale } from '../messages/locales.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import { NEEDS_PRESENCE, PresenceBody } from '../sessions/schemas.ts'
import { assertFound, type ActorOf } from './acting-admin.ts'
import type { PrepareInvitation } from './prepare-invitation.ts'
import { USER_PROBLEMS, UserParams, WRITE_PROBLEMS } from './schemas.ts'
import type { AdminStore } from './store.ts'

/** What an admin does to an account. Each tells whether there is such an account. */
export interface UserActions {
  /** @returns what is to be applied on this instance; `undefined` where there is no such account */
  endAllSessions (userId: string, actor: Actor): Promise<Revocation[] | undefined>
  unlock (userId: string, actor: Actor): Promise<boolean>
  verifyEmail (userId: string, actor: Actor): Promise<boolean>
  /** Keeps an account that is to be deleted. */
  restore (userId: string, actor: Actor): Promise<boolean>
}

export interface UserActionRoutesOptions {
  users: Pick<AdminStore, 'invite'>
  actions: UserActions
  prepareInvitation: PrepareInvitation
  /** Whether mail is sent at all. */
  canInvite: boolean
  /** To be called once an invitation is stored. */
  wakeOutbox: () => void
  ledgerSync: Pick<LedgerSync, 'apply'>
  guards: Guards
  actorOf: ActorOf
}

/** What else an admin does to an account. */
export const userActionRoutes: FastifyPluginAsyncTypebox<UserActionRoutesOptions> = async (app, { users, actions, prepareInvitation, canInvite, wakeOutbox, ledgerSync, guards, actorOf }) => {
  const writing = { onRequest: guards.permit('users:write') }

  app.delete('/admin/users/:id/sessions', {
    ...writing,
    schema: {
      operationId: 'endUserSessions',
      tags: ['Admin'],
      summary: 'End all sessions of an account',
      description: NEEDS_PRESENCE,
      security: AUTHENTICATED,
      params: UserParams,
      body: PresenceBody,
      response: { 204: emptyResponse('The sessions were ended.'), ...problemResponses(...USER_PROBLEMS, ...WRITE_PROBLEMS) }
    }
  }, async (request, reply) => {
    ledgerSync.apply(assertFound(await actions.endAllSessions(request.params.id, actorOf(request))))
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
      params: UserParams,
      body: PresenceBody,
      response: { 204: emptyResponse('The account was unlocked.'), ...problemResponses(...USER_PROBLEMS, ...WRITE_PROBLEMS) }
    }
  }, async (request, reply) => {
    if (!await actions.unlock(request.params.id, actorOf(request))) throw new Problem('not_found')
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
      params: UserParams,
      body: PresenceBody,
      response: { 204: emptyResponse('The account is kept.'), ...problemResponses(...USER_PROBLEMS, ...WRITE_PROBLEMS) }
    }
  }, async (request, reply) => {
    if (!await actions.restore(request.params.id, actorOf(request))) throw new Problem('not_found')
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
      params: UserParams,
      body: PresenceBody,
      response: { 204: emptyResponse('The address is verified.'), ...problemResponses(...USER_PROBLEMS, ...WRITE_PROBLEMS) }
    }
  }, async (request, reply) => {
    if (!await actions.verifyEmail(request.params.id, actorOf(request))) throw new Problem('not_found')
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
        params: UserParams,
        body: PresenceBody,
        response: { 202: jsonResponse(Type.Object({ expiresIn: Type.Integer({ description: 'How long the link is good, in seconds', examples: [604_800] }) }), { description: 'The invitation is on its way.', example: { expiresIn: 604_800 } }), ...problemResponses(...USER_PROBLEMS, ...WRITE_PROBLEMS, 'account_disabled') }
      }
    }, async (request, reply) => {
      const { life: expiresIn } = assertFound(await users.invite(request.params.id, actorOf(request), ({ email, locale }) => {
        const invitation = prepareInvitation({ email, locale: locale ?? negotiateLocale(request.headers['accept-language']) })
        if (invitation === undefined) throw new Error('An invitation needs mail')
        return invitation
      }))
      wakeOutbox()
      return reply.code(202).send({ expiresIn })
    })
  }
}
