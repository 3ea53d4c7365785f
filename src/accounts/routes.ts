import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { Problem } from '../errors.ts'
import { jsonResponse, AUTHENTICATED, BODY_PROBLEMS, emptyResponse, problemResponses, PUBLIC } from '../http/openapi/openapi-responses.ts'
import type { Guards } from '../http/guards.ts'
import { clientInfo } from '../http/client-info.ts'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import type { Cookies } from '../http/cookies.ts'
import { normaliseEmail } from '../http/email-address.ts'
import type { CsrfProtection } from '../http/csrf.ts'
import { Email, EXAMPLE, EXAMPLE_USER, Name, named, Nullable, type UserView } from '../http/schemas.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { SendLogin } from '../sessions/login-response.ts'
import type { Presence } from '../sessions/presence.ts'
import { AudienceName, CLEARED_COOKIES, Deliver, loginResponse, NEEDS_PRESENCE, PresenceBody, refuseAudienceOf } from '../sessions/schemas.ts'
import type { AccountStatusStore } from './account-status-store.ts'
import type { Register } from './register.ts'
import type { Account, AccountStore } from './store.ts'

export interface AccountRoutesOptions {
  register: Register
  accounts: AccountStore
  presence: Presence
  accountStatus: Pick<AccountStatusStore, 'remove'>
  ledgerSync: Pick<LedgerSync, 'apply'>
  sendLogin: SendLogin
  guards: Guards
  principal: (request: FastifyRequest) => Principal
  cookies: Cookies
  csrf: CsrfProtection
}

const deletionProblems = ['unauthenticated', 'invalid_token', 'insufficient_user_authentication', 'cross_site_request', 'last_admin', 'unavailable'] as const
const account = (description: string) => jsonResponse(named('User'), { description, example: EXAMPLE_USER })

export const accountRoutes: FastifyPluginAsyncTypebox<AccountRoutesOptions> = async (app, { register, accounts, presence, accountStatus, ledgerSync, sendLogin, guards, principal, cookies, csrf }) => {
  app.post('/auth/register', {
    schema: {
      operationId: 'register',
      tags: ['Accounts'],
      summary: 'Create an account and log in',
      security: PUBLIC,
      body: Type.Object({
        email: Email,
        password: Type.String({ minLength: 1, maxLength: 1024, description: 'The password, used exactly as it is sent.', examples: [EXAMPLE.password] }),
        name: Type.Optional(Name),
        deliver: Type.Optional(Deliver),
        audience: Type.Optional(AudienceName)
      }, { additionalProperties: false, examples: [{ email: EXAMPLE.email, password: EXAMPLE.password, name: EXAMPLE.name }] }),
      response: {
        201: loginResponse('The account was created, and a session was opened.'),
        ...problemResponses(...BODY_PROBLEMS, 'cross_site_request', 'email_taken', 'weak_password', 'unknown_audience', 'too_busy', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { email, password, name = null, deliver: channel = 'body', audience } = request.body
    refuseAudienceOf(channel, audience)
    if (channel !== 'body') csrf.checkLogin(request)
    const login = await register({
      email: normaliseEmail(email),
      password,
      name,
      channel,
      audience,
      client: clientInfo(request),
      signal: abortOnDisconnect(reply)
    })
    reply.code(201)
    return sendLogin(reply, login)
  })

  app.get('/auth/me', {
    onRequest: guards.authenticate,
    schema: {
      operationId: 'getMe',
      tags: ['Accounts'],
      summary: 'My account',
      security: AUTHENTICATED,
      response: { 200: account('My account.'), ...problemResponses('unauthenticated', 'invalid_token', 'unavailable') }
    }
  }, async request => {
    return toUserView(assertFound(await accounts.find(principal(request).id)))
  })

  app.patch('/auth/me', {
    onRequest: guards.authenticate,
    schema: {
      operationId: 'updateMe',
      tags: ['Accounts'],
      summary: 'Change my profile',
      security: AUTHENTICATED,
      body: Type.Object({ name: Nullable(Name) }, { additionalProperties: false, examples: [{ name: EXAMPLE.name }] }),
      response: {
        200: account('My account after the change.'),
        ...problemResponses(...BODY_PROBLEMS, 'unauthenticated', 'invalid_token', 'cross_site_request', 'unavailable')
      }
    }
  }, async request => {
    return toUserView(assertFound(await accounts.rename(principal(request).id, request.body.name)))
  })

  app.post('/auth/me/delete', {
    onRequest: guards.authenticate,
    schema: {
      operationId: 'deleteAccount',
      tags: ['Accounts'],
      summary: 'Delete my account and all its data',
      description: NEEDS_PRESENCE,
      security: AUTHENTICATED,
      body: PresenceBody,
      response: { 204: emptyResponse('The account was deleted.', CLEARED_COOKIES), ...problemResponses(...BODY_PROBLEMS, ...deletionProblems) }
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
      response: { 204: emptyResponse('The account was deleted.', CLEARED_COOKIES), ...problemResponses(...deletionProblems) }
    }
  }, deleteAccount)

  async function deleteAccount (request: FastifyRequest, reply: FastifyReply) {
    const { userId, credential: { channel } } = await presence.assert(request)
    ledgerSync.apply(await accountStatus.remove(userId, { actorId: userId, ...clientInfo(request) }) ?? [])
    // With a refresh token in the body, the cookies may belong to another account.
    if (channel !== 'body') cookies.clearCarried(reply, 'access', 'refresh', 'session', 'device')
    return reply.code(204).send(null)
  }
}

function assertFound (account: Account | null): Account {
  if (account === null) throw new Problem('invalid_token')
  return account
}

function toUserView ({ id, email, emailVerified, name, role, createdAt }: Account): UserView {
  return { id, email, emailVerified, name, role, createdAt: createdAt.toISOString() }
}
