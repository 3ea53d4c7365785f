import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { invalidField } from '../errors.ts'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import { clientInfo } from '../http/client-info.ts'
import type { CsrfProtection } from '../http/csrf.ts'
import { BODY_PROBLEMS, problemResponses, PUBLIC } from '../http/openapi/openapi-responses.ts'
import { EXAMPLE } from '../http/schemas.ts'
import { reportTo } from '../limits/limit-by-network.ts'
import { EXAMPLE_PROOFS, PROOF_FIELDS, readProof } from '../mail-requests/schemas.ts'
import type { SendLogin } from '../sessions/login-response.ts'
import { AudienceName, Deliver, loginResponse, refuseAudienceOf } from '../sessions/schemas.ts'
import type { ConfirmRegistration } from './confirm-registration.ts'

export interface ConfirmRouteOptions {
  confirmRegistration: ConfirmRegistration
  sendLogin: SendLogin
  csrf: CsrfProtection
}

const Password = Type.String({ minLength: 1, maxLength: 1024, description: 'The password that was chosen, beside a token', examples: [EXAMPLE.password] })

/** Finishing a registration by what was mailed. Where proved addresses are no longer required, those that were begun still end here. */
export const confirmRegistrationRoute: FastifyPluginAsyncTypebox<ConfirmRouteOptions> = async (app, { confirmRegistration, sendLogin, csrf }) => {
  app.post('/auth/register/confirm', {
    schema: {
      operationId: 'confirmRegistration',
      tags: ['Accounts'],
      summary: 'Finish to register, and log in',
      description: 'Takes the mailed `code` with the `requestId` that registering was answered with, or the `token` of the mailed link with the password that was chosen.',
      security: PUBLIC,
      body: Type.Object({ ...PROOF_FIELDS, password: Type.Optional(Password), deliver: Type.Optional(Deliver), audience: Type.Optional(AudienceName) }, {
        additionalProperties: false,
        examples: EXAMPLE_PROOFS.map(proof => ({ ...proof, ...'token' in proof && { password: EXAMPLE.password } }))
      }),
      response: {
        201: loginResponse('The account was created, and a session was opened.'),
        ...problemResponses(...BODY_PROBLEMS, 'link_invalid', 'invalid_code', 'invalid_credentials', 'cross_site_request', 'email_taken', 'link_used', 'link_expired', 'unknown_audience', 'too_many_requests', 'too_busy', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { password, deliver: channel = 'body', audience, ...given } = request.body
    refuseAudienceOf(channel, audience)
    if (channel !== 'body') csrf.checkLogin(request)
    const login = await confirmRegistration.confirm({
      proof: withPassword(readProof(given), password),
      channel,
      audience,
      client: clientInfo(request),
      signal: abortOnDisconnect(reply),
      report: reportTo(reply)
    })
    reply.code(201)
    return sendLogin(reply, login)
  })
}

function withPassword (proof: ReturnType<typeof readProof>, password: string | undefined) {
  if (!('token' in proof)) return proof
  if (password === undefined) throw invalidField('password', 'is required beside token')
  return { ...proof, password }
}
