import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import { clientInfo } from '../http/client-info.ts'
import { normaliseEmail } from '../http/email-address.ts'
import { BODY_PROBLEMS, emptyResponse, jsonResponse, problemResponses, PUBLIC } from '../http/openapi/openapi-responses.ts'
import { Email, EXAMPLE } from '../http/schemas.ts'
import { reportTo } from '../limits/limit-by-network.ts'
import type { AskForMail } from '../mail-requests/ask-for-mail.ts'
import { AskedSchema, EXAMPLE_ASKED, EXAMPLE_PROOFS, PROOF_FIELDS, readProof } from '../mail-requests/schemas.ts'
import { negotiateLocale } from '../messages/locales.ts'
import { FORGOT_FLOW } from './forgot-flow.ts'
import type { ResetPassword } from './reset-password.ts'

export interface RecoveryRoutesOptions {
  askForMail: AskForMail
  resetPassword: ResetPassword
}

const NEW_PASSWORD = 'a staple of nine words'

/** Choosing a new password by mail. */
export const recoveryRoutes: FastifyPluginAsyncTypebox<RecoveryRoutesOptions> = async (app, { askForMail, resetPassword }) => {
  app.post('/auth/password/forgot', {
    schema: {
      operationId: 'forgotPassword',
      tags: ['Recovery'],
      summary: 'Ask for a new password',
      description: 'Mails a link and a code to the address, where it has an account. The response is the same where it has none, and beyond the limits, where nothing is sent. Asking anew voids what was mailed before.',
      security: PUBLIC,
      body: Type.Object({ email: Email }, { additionalProperties: false, examples: [{ email: EXAMPLE.email }] }),
      response: {
        202: jsonResponse(AskedSchema, { description: 'The request was accepted.', example: EXAMPLE_ASKED }),
        ...problemResponses(...BODY_PROBLEMS, 'cross_site_request', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const email = normaliseEmail(request.body.email)
    reply.code(202)
    return await askForMail({ flow: FORGOT_FLOW, email, locale: negotiateLocale(request.headers['accept-language']), client: clientInfo(request), report: reportTo(reply) })
  })

  app.post('/auth/password/reset', {
    schema: {
      operationId: 'resetPassword',
      tags: ['Recovery'],
      summary: 'Choose a new password',
      description: 'Takes the `token` of a mailed link, or the mailed `code` with the `requestId` that asking was answered with. All sessions of the account end; it logs nobody in. A password that is refused (422) uses up neither link nor code. An address that was never verified is verified thereby, and nothing else that opens the account is left.',
      security: PUBLIC,
      body: Type.Object({
        ...PROOF_FIELDS,
        newPassword: Type.String({ minLength: 1, maxLength: 1024, description: 'The new password, used exactly as it is sent.', examples: [NEW_PASSWORD] })
      }, { additionalProperties: false, examples: EXAMPLE_PROOFS.map(proof => ({ ...proof, newPassword: NEW_PASSWORD })) }),
      response: {
        204: emptyResponse('The password was changed.'),
        ...problemResponses(...BODY_PROBLEMS, 'link_invalid', 'invalid_code', 'cross_site_request', 'link_used', 'link_expired', 'weak_password', 'too_many_requests', 'too_busy', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { newPassword, ...given } = request.body
    await resetPassword.reset({ proof: readProof(given), newPassword, client: clientInfo(request), signal: abortOnDisconnect(reply), report: reportTo(reply) })
    return reply.code(204).send(null)
  })
}
