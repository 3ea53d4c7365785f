import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AUTHENTICATED, BODY_PROBLEMS, problemResponses } from '../http/openapi/openapi-responses.ts'
import type { Guard, Guards } from '../http/guards.ts'
import { clientInfo } from '../http/client-info.ts'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import { EXAMPLE } from '../http/schemas.ts'
import type { SendLogin } from '../sessions/login-response.ts'
import { IdempotencyHeaders } from '../sessions/idempotency-key.ts'
import { loginAnswer } from '../sessions/login-schema.ts'
import type { Login } from '../sessions/open-session.ts'
import { NEEDS_PRESENCE, PresenceToken } from '../sessions/presence-schema.ts'
import type { Presence } from '../sessions/presence.ts'
import type { ReadSessionCredentials } from '../sessions/session-credential.ts'
import type { ChangePassword } from './change-password.ts'

export interface PasswordRouteOptions {
  changePassword: ChangePassword
  presence: Presence
  readCredentials: ReadSessionCredentials
  /** The identities that open an account, as the API shows them. */
  identitiesOf: (userId: string) => Promise<object[]>
  deliver: SendLogin
  guards: Guards
}

const NEW_PASSWORD = 'a staple of nine words'

export const passwordRoute: FastifyPluginAsyncTypebox<PasswordRouteOptions> = async (app, { changePassword, presence, readCredentials, identitiesOf, deliver, guards }) => {
  app.post('/auth/password', {
    onRequest: unlessRepeatable(guards.authenticate),
    schema: {
      operationId: 'changePassword',
      tags: ['Accounts'],
      summary: 'Change my password',
      description: `Ends all my other sessions, and answers with new credentials for this one: those of before are refused at once. An account that has no password, because it signs in by a provider, gets its first without \`currentPassword\`. A client that lost the answer asks again with the same under the same \`Idempotency-Key\`. ${NEEDS_PRESENCE}`,
      security: AUTHENTICATED,
      headers: IdempotencyHeaders,
      body: Type.Object({
        currentPassword: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: 'Required where there is one', examples: [EXAMPLE.password] })),
        newPassword: Type.String({ minLength: 1, maxLength: 1024, description: 'Used exactly as sent', examples: [NEW_PASSWORD] }),
        refreshToken: PresenceToken
      }, { additionalProperties: false, examples: [{ currentPassword: EXAMPLE.password, newPassword: NEW_PASSWORD }] }),
      response: {
        200: loginAnswer('The new password is in force, and the session has new credentials', 'LoginWithIdentities'),
        ...problemResponses(...BODY_PROBLEMS, 'unauthenticated', 'invalid_token', 'invalid_credentials', 'insufficient_user_authentication', 'cross_site_request', 'weak_password', 'too_busy', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { currentPassword, newPassword } = request.body
    const idempotencyKey = request.headers['idempotency-key']
    const asked = { currentPassword, newPassword, idempotencyKey, client: clientInfo(request), signal: abortOnDisconnect(reply) }

    const repeated = await changePassword.repeat(readCredentials(request), asked)
    if (repeated !== undefined) return await answer(reply, repeated)
    if (idempotencyKey !== undefined) await pass(guards.authenticate, request, reply)
    return await answer(reply, await changePassword.change(await presence.assert(request), asked))
  })

  async function answer (reply: FastifyReply, login: Login) {
    const identities = await identitiesOf(login.user.userId)
    return { ...deliver(reply, login), identities }
  }
}

// Whoever lost the answer has an access token that the new password took the worth of: what is shown under the key is
// looked at first, once the body is there.
function unlessRepeatable (guard: Guard): Guard {
  return (request, reply, done) => request.headers['idempotency-key'] === undefined ? guard(request, reply, done) : done()
}

function pass (guard: Guard, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  return new Promise((resolve, reject) => guard(request, reply, error => error === undefined ? resolve() : reject(error)))
}
