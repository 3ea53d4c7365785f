import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { clientInfo } from '../http/client-info.ts'
import type { Cookies } from '../http/cookies.ts'
import type { Guards } from '../http/guards.ts'
import { AUTHENTICATED, BODY_PROBLEMS, emptyResponse, problemResponses, PUBLIC } from '../http/openapi/openapi-responses.ts'
import type { AttemptLimiter } from '../limits/attempt-limiter.ts'
import { limitByNetwork } from '../limits/limit-by-network.ts'
import type { Presence } from '../sessions/presence.ts'
import { CLEARED_COOKIES, NEEDS_PRESENCE, PresenceBody } from '../sessions/schemas.ts'
import type { AccountDeletion } from './account-deletion.ts'

export interface DeletionRoutesOptions {
  deletion: Pick<AccountDeletion, 'removeOwn' | 'restoreByToken'>
  /** Whether links are mailed by which owners can take a deletion back. */
  canRestore: boolean
  limiter: AttemptLimiter
  presence: Presence
  guards: Guards
  cookies: Cookies
}

const deletionProblems = ['unauthenticated', 'invalid_token', 'insufficient_user_authentication', 'cross_site_request', 'last_admin', 'unavailable'] as const
const EXAMPLE_TOKEN = 'Qm9mYjJkZ0xWc2ZyR2hTbnR6d0tTMk1mVDR4Wm9uYjE'
const WITH_GRACE = 'With `ACCOUNT_DELETION_GRACE` it is deleted when that time is over: until then nobody can log in, and the link in a mail takes it back.'

export const deletionRoutes: FastifyPluginAsyncTypebox<DeletionRoutesOptions> = async (app, { deletion, canRestore, limiter, presence, guards, cookies }) => {
  app.post('/auth/me/delete', {
    onRequest: guards.authenticate,
    schema: {
      operationId: 'deleteAccount',
      tags: ['Accounts'],
      summary: 'Delete my account and all its data',
      description: `${WITH_GRACE} ${NEEDS_PRESENCE}`,
      security: AUTHENTICATED,
      body: PresenceBody,
      response: { 204: emptyResponse('The account was deleted, or will be.', CLEARED_COOKIES), ...problemResponses(...BODY_PROBLEMS, ...deletionProblems) }
    }
  }, deleteAccount)

  app.delete('/auth/me', {
    onRequest: guards.authenticate,
    schema: {
      operationId: 'deleteMe',
      tags: ['Accounts'],
      summary: 'Delete my account, with the cookies of the session',
      description: `Use \`POST /auth/me/delete\` instead: this route will be removed in the next release. ${NEEDS_PRESENCE}`,
      deprecated: true,
      security: AUTHENTICATED,
      response: { 204: emptyResponse('The account was deleted, or will be.', CLEARED_COOKIES), ...problemResponses(...deletionProblems) }
    }
  }, deleteAccount)

  async function deleteAccount (request: FastifyRequest, reply: FastifyReply) {
    const { userId, credential: { channel } } = await presence.assert(request)
    await deletion.removeOwn(userId, { actorId: userId, ...clientInfo(request) })
    // With a refresh token in the body, the cookies may belong to another account.
    if (channel !== 'body') cookies.clearCarried(reply, 'access', 'refresh', 'session', 'device')
    return reply.code(204).send(null)
  }

  if (!canRestore) return

  app.post('/auth/me/restore', {
    preHandler: limitByNetwork(limiter, 'reset'),
    schema: {
      operationId: 'restoreAccount',
      tags: ['Accounts'],
      summary: 'Keep an account that is to be deleted',
      description: 'Takes the token of the link in the mail about the deletion. It logs nobody in.',
      security: PUBLIC,
      body: Type.Object({
        token: Type.String({ minLength: 1, maxLength: 256, description: 'The token in the link.', examples: [EXAMPLE_TOKEN] })
      }, { additionalProperties: false, examples: [{ token: EXAMPLE_TOKEN }] }),
      response: {
        204: emptyResponse('The account is kept. Its owner can log in again.'),
        ...problemResponses(...BODY_PROBLEMS, 'link_invalid', 'cross_site_request', 'link_used', 'link_expired', 'too_many_requests', 'unavailable')
      }
    }
  }, async (request, reply) => {
    await deletion.restoreByToken(request.body.token, clientInfo(request))
    return reply.code(204).send(null)
  })
}
