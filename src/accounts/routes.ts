import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { Problem } from '../errors.ts'
import { jsonResponse, AUTHENTICATED, BODY_PROBLEMS, emptyResponse, problemResponses, PUBLIC } from '../http/openapi/openapi-responses.ts'
import type { Guards } from '../http/guards.ts'
import { clientInfo } from '../http/client-info.ts'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import type { Cookies } from '../http/cookies.ts'
import { normaliseEmail } from '../http/email-address.ts'
import type { CsrfProtection } from '../http/csrf.ts'
import { Email, EXAMPLE, EXAMPLE_USER, Name, named, Nullable } from '../http/schemas.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { SendLogin } from '../sessions/login-response.ts'
import { AudienceName, CLEARED_COOKIES, Deliver, loginAnswer, refuseAudienceOf } from '../sessions/login-schema.ts'
import type { AccountStatusStore } from '../sessions/standing-store.ts'
import { toAccountView } from './account-view.ts'
import type { ChangePassword } from './change-password.ts'
import type { Register } from './register.ts'
import type { Account, AccountStore } from './store.ts'

export interface AccountRoutesOptions {
  register: Register
  accounts: AccountStore
  changePassword: ChangePassword
  standing: AccountStatusStore
  propagation: Pick<LedgerSync, 'apply'>
  deliver: SendLogin
  guards: Guards
  principal: (request: FastifyRequest) => Principal
  cookies: Cookies
  csrf: CsrfProtection
}

const NEW_PASSWORD = 'a staple of nine words'
const account = (description: string) => jsonResponse(named('User'), { description, example: EXAMPLE_USER })

export const accountRoutes: FastifyPluginAsyncTypebox<AccountRoutesOptions> = async (app, { register, accounts, changePassword, standing, propagation, deliver, guards, principal, cookies, csrf }) => {
  app.post('/auth/register', {
    schema: {
      operationId: 'register',
      tags: ['Accounts'],
      summary: 'Create an account and log in',
      security: PUBLIC,
      body: Type.Object({
        email: Email,
        password: Type.String({ minLength: 1, maxLength: 1024, description: 'Used exactly as sent', examples: [EXAMPLE.password] }),
        name: Type.Optional(Name),
        deliver: Type.Optional(Deliver),
        audience: Type.Optional(AudienceName)
      }, { additionalProperties: false, examples: [{ email: EXAMPLE.email, password: EXAMPLE.password, name: EXAMPLE.name }] }),
      response: {
        201: loginAnswer('The account exists, and a session is open'),
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
    return deliver(reply, login)
  })

  app.get('/auth/me', {
    onRequest: guards.authenticate,
    schema: {
      operationId: 'getMe',
      tags: ['Accounts'],
      summary: 'My account',
      security: AUTHENTICATED,
      response: { 200: account('My account'), ...problemResponses('unauthenticated', 'invalid_token', 'unavailable') }
    }
  }, async request => {
    return toAccountView(stillThere(await accounts.find(principal(request).id)))
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
        200: account('My account, changed'),
        ...problemResponses(...BODY_PROBLEMS, 'unauthenticated', 'invalid_token', 'cross_site_request', 'unavailable')
      }
    }
  }, async request => {
    return toAccountView(stillThere(await accounts.rename(principal(request).id, request.body.name)))
  })

  app.delete('/auth/me', {
    onRequest: guards.authenticate,
    schema: {
      operationId: 'deleteMe',
      tags: ['Accounts'],
      summary: 'Delete my account, and everything of it',
      security: AUTHENTICATED,
      response: { 204: emptyResponse('The account is gone', CLEARED_COOKIES), ...problemResponses('unauthenticated', 'invalid_token', 'cross_site_request', 'last_admin', 'unavailable') }
    }
  }, async (request, reply) => {
    const { id, credential } = principal(request)
    propagation.apply(await standing.remove(id, { actorId: id, ...clientInfo(request) }) ?? [])
    // Beside a Bearer token, cookies may well be another account's.
    if (credential !== 'bearer') cookies.clearCarried(reply, 'access', 'refresh', 'session', 'device')
    return reply.code(204).send(null)
  })

  app.post('/auth/password', {
    onRequest: guards.authenticate,
    schema: {
      operationId: 'changePassword',
      tags: ['Accounts'],
      summary: 'Change my password',
      description: 'Ends all my other sessions. An account that has no password, because it signs in by a provider, gets its first without `currentPassword` within five minutes of the login.',
      security: AUTHENTICATED,
      body: Type.Object({
        currentPassword: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: 'Required where there is one', examples: [EXAMPLE.password] })),
        newPassword: Type.String({ minLength: 1, maxLength: 1024, description: 'Used exactly as sent', examples: [NEW_PASSWORD] })
      }, { additionalProperties: false, examples: [{ currentPassword: EXAMPLE.password, newPassword: NEW_PASSWORD }] }),
      response: {
        204: emptyResponse('The new password is in force'),
        ...problemResponses(...BODY_PROBLEMS, 'unauthenticated', 'invalid_token', 'invalid_credentials', 'recent_login_required', 'cross_site_request', 'weak_password', 'too_busy', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { id: userId, sessionId } = principal(request)
    const { currentPassword, newPassword } = request.body
    await changePassword({ userId, sessionId, currentPassword, newPassword, client: clientInfo(request), signal: abortOnDisconnect(reply) })
    return reply.code(204).send(null)
  })
}

function stillThere (account: Account | null): Account {
  if (account === null) throw new Problem('invalid_token')
  return account
}
