import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import { clientInfo } from '../http/client-info.ts'
import { normaliseEmail } from '../http/email-address.ts'
import type { Guards } from '../http/guards.ts'
import { AUTHENTICATED, BODY_PROBLEMS, emptyResponse, jsonResponse, problemResponses, PUBLIC } from '../http/openapi/openapi-responses.ts'
import { Email, EXAMPLE } from '../http/schemas.ts'
import { reportTo } from '../limits/limit-by-network.ts'
import { AskedSchema, EXAMPLE_ASKED, EXAMPLE_PROOFS, PROOF_FIELDS, readProof } from '../mail-requests/schemas.ts'
import { negotiateLocale } from '../messages/locales.ts'
import type { FindKnownDevices } from '../sessions/known-device.ts'
import type { Presence } from '../sessions/presence.ts'
import { NEEDS_PRESENCE, PresenceToken } from '../sessions/schemas.ts'
import type { ReadSession } from './asking-session.ts'
import type { EmailChange } from './compose.ts'

export interface EmailChangeRoutesOptions extends Pick<EmailChange, 'askChange' | 'confirmChange' | 'revertChange'> {
  readSession: ReadSession
  presence: Pick<Presence, 'assert'>
  guards: Guards
  findKnownDevices: FindKnownDevices
}

const NEW_EMAIL = 'ada.lovelace@example.com'

/** Changing the address of an account, and taking the old one back. */
export const emailChangeRoutes: FastifyPluginAsyncTypebox<EmailChangeRoutesOptions> = async (app, { askChange, confirmChange, revertChange, readSession, presence, guards, findKnownDevices }) => {
  app.post('/auth/email/change', {
    onRequest: guards.authenticate,
    schema: {
      operationId: 'changeEmail',
      tags: ['Accounts'],
      summary: 'Ask for another e-mail address',
      description: `Mails a link and a code to the new address, and tells the old one if it is verified. The address changes when it is confirmed. The response is the same where another account has the address, and beyond the limits, where nothing is sent. Asking anew voids what was mailed before. ${NEEDS_PRESENCE}`,
      security: AUTHENTICATED,
      body: Type.Object({ email: Email, refreshToken: PresenceToken }, { additionalProperties: false, examples: [{ email: NEW_EMAIL }] }),
      response: {
        202: jsonResponse(AskedSchema, { description: 'The request was accepted.', example: EXAMPLE_ASKED }),
        ...problemResponses(...BODY_PROBLEMS, 'unauthenticated', 'invalid_token', 'insufficient_user_authentication', 'cross_site_request', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const present = await presence.assert(request)
    const email = normaliseEmail(request.body.email)
    reply.code(202)
    return await askChange(present, { email, locale: negotiateLocale(request.headers['accept-language']), client: clientInfo(request), report: reportTo(reply) })
  })

  app.post('/auth/email/change/confirm', {
    schema: {
      operationId: 'confirmEmailChange',
      tags: ['Accounts'],
      summary: 'Confirm the new e-mail address',
      description: 'Takes the `token` of the mailed link, or the mailed `code` with the `requestId` that asking was answered with: in the session that asked, or with the `password` of the account. The address is verified thereby. All other sessions end, and every access token is revoked: the session that asked refreshes its own. A verified old address gets a link that takes the account back within seven days.',
      security: [...AUTHENTICATED, {}],
      body: Type.Object({
        ...PROOF_FIELDS,
        password: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: 'The password of the account, where the request is not of the session that asked.', examples: [EXAMPLE.password] })),
        refreshToken: PresenceToken
      }, { additionalProperties: false, examples: [...EXAMPLE_PROOFS, { ...EXAMPLE_PROOFS[0], password: EXAMPLE.password }] }),
      response: {
        204: emptyResponse('The address was changed.'),
        ...problemResponses(...BODY_PROBLEMS, 'link_invalid', 'unauthenticated', 'invalid_token', 'invalid_code', 'invalid_credentials', 'different_session', 'cross_site_request', 'email_taken', 'link_used', 'link_expired', 'too_many_requests', 'too_many_failures', 'too_busy', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { password, refreshToken: _, ...given } = request.body
    await confirmChange.confirm({
      proof: readProof(given),
      password,
      missSession: readSession(request),
      findDevices: () => findKnownDevices(request),
      client: clientInfo(request),
      signal: abortOnDisconnect(reply),
      report: reportTo(reply)
    })
    return reply.code(204).send(null)
  })

  app.post('/auth/email/revert', {
    schema: {
      operationId: 'revertEmailChange',
      tags: ['Recovery'],
      summary: 'Take the account back for the old e-mail address',
      description: 'Takes the `token` of the link that the old address got. The account has the old address again, all its sessions end, and every way in that was added since the change was asked for is removed: a new password, linked identities. It logs nobody in: a mail with a link to choose a new password follows.',
      security: PUBLIC,
      body: Type.Object({ token: Type.String({ minLength: 1, maxLength: 512, description: 'The token of the mailed link', examples: [EXAMPLE_PROOFS[0].token] }) }, { additionalProperties: false, examples: [EXAMPLE_PROOFS[0]] }),
      response: {
        204: emptyResponse('The account has its old address again.'),
        ...problemResponses(...BODY_PROBLEMS, 'link_invalid', 'account_disabled', 'cross_site_request', 'email_taken', 'link_used', 'link_expired', 'too_many_requests', 'unavailable')
      }
    }
  }, async (request, reply) => {
    await revertChange.revert({ token: request.body.token, client: clientInfo(request), report: reportTo(reply) })
    return reply.code(204).send(null)
  })
}
