import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { Problem } from '../errors.ts'
import { AUTHENTICATED, BODY_PROBLEMS, problemResponses } from '../http/openapi/openapi-responses.ts'
import type { Guard, Guards } from '../http/guards.ts'
import { clientInfo } from '../http/client-info.ts'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import { EXAMPLE } from '../http/schemas.ts'
import { reportTo } from '../limits/limit-by-network.ts'
import type { SendLogin } from '../sessions/login-response.ts'
import type { Login } from '../sessions/open-session.ts'
import type { ReadLogoutCredentials } from '../sessions/logout-credentials.ts'
import type { Presence } from '../sessions/presence.ts'
import { IdempotencyHeaders, loginResponse, NEEDS_PRESENCE, PresenceToken } from '../sessions/schemas.ts'
import type { ReadSessionCredentials } from '../sessions/session-credential.ts'
import type { ChangePassword } from './change-password.ts'

export interface PasswordRouteOptions {
  changePassword: ChangePassword
  presence: Presence
  readCredentials: ReadSessionCredentials
  readLogoutCredentials: ReadLogoutCredentials
  /** Lists the identities of an account, in the API's form. */
  listIdentities: (userId: string) => Promise<object[]>
  sendLogin: SendLogin
  guards: Guards
}

const NEW_PASSWORD = 'a staple of nine words'

export const passwordRoute: FastifyPluginAsyncTypebox<PasswordRouteOptions> = async (app, { changePassword, presence, readCredentials, readLogoutCredentials, listIdentities, sendLogin, guards }) => {
  app.post('/auth/password', {
    onRequest: unlessRepeated(guards.authenticate, request => readLogoutCredentials(request).sessions.length > 0),
    schema: {
      operationId: 'changePassword',
      tags: ['Accounts'],
      summary: 'Change my password',
      description: `Ends all my other sessions, and returns new credentials for this one: the old ones are refused at once. An account without a password, which signs in with a provider, gets its first one without \`currentPassword\`. A client that lost the response repeats the request with the same \`Idempotency-Key\`. ${NEEDS_PRESENCE}`,
      security: AUTHENTICATED,
      headers: IdempotencyHeaders,
      body: Type.Object({
        currentPassword: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: 'The present password, required where the account has one.', examples: [EXAMPLE.password] })),
        newPassword: Type.String({ minLength: 1, maxLength: 1024, description: 'The new password, used exactly as it is sent.', examples: [NEW_PASSWORD] }),
        refreshToken: PresenceToken
      }, { additionalProperties: false, examples: [{ currentPassword: EXAMPLE.password, newPassword: NEW_PASSWORD }] }),
      response: {
        200: loginResponse('The password was changed, and the session has new credentials.', 'LoginWithIdentities'),
        ...problemResponses(...BODY_PROBLEMS, 'unauthenticated', 'invalid_token', 'invalid_credentials', 'insufficient_user_authentication', 'cross_site_request', 'weak_password', 'too_many_requests', 'too_many_failures', 'too_busy', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { currentPassword, newPassword } = request.body
    const idempotencyKey = request.headers['idempotency-key']
    const change = { currentPassword, newPassword, idempotencyKey, client: clientInfo(request), signal: abortOnDisconnect(reply), report: reportTo(reply) }

    const repeat = () => changePassword.repeat(readCredentials(request), change)
    return await respond(reply, await repeat() ?? await carryOut().catch(async error => {
      // The same request, sent twice at once, may have been carried out after the first look: then what this one shows is replaced.
      const repeated = error instanceof Problem ? await repeat() : undefined
      if (repeated === undefined) throw error
      return repeated
    }))

    async function carryOut (): Promise<Login> {
      if (idempotencyKey !== undefined) await runGuard(guards.authenticate, request, reply)
      return await changePassword.change(await presence.assert(request), change)
    }
  })

  async function respond (reply: FastifyReply, login: Login) {
    const identities = await listIdentities(login.user.userId)
    return { ...sendLogin(reply, login), identities }
  }
}

// A client that lost the response has an access token that the change revoked. With an Idempotency-Key a credential that was
// issued here is enough for its body to be read; what it may do is decided then.
function unlessRepeated (guard: Guard, showsSession: (request: FastifyRequest) => boolean) {
  return (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void =>
    request.headers['idempotency-key'] !== undefined && showsSession(request) ? done() : guard(request, reply, done)
}

function runGuard (guard: Guard, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  return new Promise((resolve, reject) => guard(request, reply, error => error === undefined ? resolve() : reject(error)))
}
