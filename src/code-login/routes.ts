import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { clientInfo } from '../http/client-info.ts'
import type { CsrfProtection } from '../http/csrf.ts'
import { normaliseEmail } from '../http/email-address.ts'
import { BODY_PROBLEMS, jsonResponse, problemResponses, PUBLIC } from '../http/openapi/openapi-responses.ts'
import { Email, EXAMPLE } from '../http/schemas.ts'
import { reportTo } from '../limits/limit-by-network.ts'
import type { AskForMail } from '../mail-requests/ask-for-mail.ts'
import { AskedSchema, CODE_FIELDS, EXAMPLE_ASKED, EXAMPLE_CODE } from '../mail-requests/schemas.ts'
import { negotiateLocale } from '../messages/locales.ts'
import type { FindKnownDevices } from '../sessions/known-device.ts'
import type { SendLogin } from '../sessions/login-response.ts'
import { AudienceName, Deliver, loginResponse, refuseAudienceOf } from '../sessions/schemas.ts'
import { CODE_FLOW } from './code-flow.ts'
import type { LogInByCode } from './log-in-by-code.ts'

export interface CodeLoginRoutesOptions {
  askForMail: AskForMail
  logInByCode: LogInByCode
  sendLogin: SendLogin
  findKnownDevices: FindKnownDevices
  csrf: CsrfProtection
}

/** Logging in by a mailed code, without a password. */
export const codeLoginRoutes: FastifyPluginAsyncTypebox<CodeLoginRoutesOptions> = async (app, { askForMail, logInByCode, sendLogin, findKnownDevices, csrf }) => {
  app.post('/auth/code', {
    schema: {
      operationId: 'askForCode',
      tags: ['Sessions'],
      summary: 'Ask for a code to log in with',
      description: 'Mails a code to the address, where it has an account. The response is the same where it has none, and beyond the limits, where nothing is sent. Asking anew voids what was mailed before.',
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
    return await askForMail({ flow: CODE_FLOW, email, locale: negotiateLocale(request.headers['accept-language']), client: clientInfo(request), report: reportTo(reply) })
  })

  app.post('/auth/code/login', {
    schema: {
      operationId: 'logInByCode',
      tags: ['Sessions'],
      summary: 'Log in with a mailed code',
      description: 'Takes the mailed `code` with the `requestId` that asking was answered with. An address that was never verified is verified thereby, and nothing else that opens the account is left.',
      security: PUBLIC,
      body: Type.Object({
        ...CODE_FIELDS,
        deliver: Type.Optional(Deliver),
        audience: Type.Optional(AudienceName)
      }, { additionalProperties: false, examples: [EXAMPLE_CODE] }),
      response: {
        200: loginResponse('The session was opened.'),
        ...problemResponses(...BODY_PROBLEMS, 'invalid_code', 'cross_site_request', 'unknown_audience', 'too_many_requests', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { requestId, code, deliver: channel = 'body', audience } = request.body
    refuseAudienceOf(channel, audience)
    if (channel !== 'body') csrf.checkLogin(request)
    const login = await logInByCode({ proof: { requestId, code }, channel, audience, client: clientInfo(request), devices: await findKnownDevices(request), report: reportTo(reply) })
    return sendLogin(reply, login)
  })
}
