import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Problem } from '../errors.ts'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import { clientInfo } from '../http/client-info.ts'
import { normaliseEmail } from '../http/email-address.ts'
import type { Guards } from '../http/guards.ts'
import { AUTHENTICATED, BODY_PROBLEMS, emptyResponse, jsonResponse, problemResponses } from '../http/openapi/openapi-responses.ts'
import { Email, EXAMPLE, Nullable } from '../http/schemas.ts'
import { reportTo } from '../limits/limit-by-network.ts'
import type { AskForMail } from '../mail-requests/ask-for-mail.ts'
import { AskedSchema, EXAMPLE_ASKED, EXAMPLE_PROOFS, PROOF_FIELDS, readProof } from '../mail-requests/schemas.ts'
import { negotiateLocale } from '../messages/locales.ts'
import type { FindKnownDevices } from '../sessions/known-device.ts'
import type { VerifyEmail } from './verify-email.ts'
import { VERIFY_FLOW } from './verify-flow.ts'

export interface VerificationRoutesOptions {
  verifyEmail: VerifyEmail
  askForMail: AskForMail
  findKnownDevices: FindKnownDevices
  guards: Guards
}

const Password = Type.String({ minLength: 1, maxLength: 1024, description: 'The password of the account, where the request has no session of it', examples: [EXAMPLE.password] })

/** Verifying the address of an account. */
export const verificationRoutes: FastifyPluginAsyncTypebox<VerificationRoutesOptions> = async (app, { verifyEmail, askForMail, findKnownDevices, guards }) => {
  app.post('/auth/email/verify', {
    schema: {
      operationId: 'verifyEmail',
      tags: ['Accounts'],
      summary: 'Verify my e-mail address',
      description: 'Takes the `token` of a mailed link, or the mailed `code` with the `requestId` that asking was answered with. Beside it, a session of the account or its `password`: who reads a mailbox does not have to be who registered its address. The next access token has `email_verified`; sessions stay.',
      security: [...AUTHENTICATED, {}],
      body: Type.Object({ ...PROOF_FIELDS, password: Type.Optional(Password) }, {
        additionalProperties: false,
        examples: EXAMPLE_PROOFS.map(proof => ({ ...proof, password: EXAMPLE.password }))
      }),
      response: {
        204: emptyResponse('The address is verified.'),
        ...problemResponses(...BODY_PROBLEMS, 'link_invalid', 'unauthenticated', 'invalid_token', 'invalid_code', 'invalid_credentials', 'different_session', 'cross_site_request', 'link_used', 'link_expired', 'too_many_requests', 'too_many_failures', 'too_busy', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { password, ...given } = request.body
    const proof = readProof(given)
    const user = await guards.findUser(request)
    await verifyEmail.verify({
      proof,
      userId: user?.id,
      password,
      client: clientInfo(request),
      devices: await findKnownDevices(request),
      signal: abortOnDisconnect(reply),
      report: reportTo(reply)
    })
    return reply.code(204).send(null)
  })

  app.post('/auth/email/resend', {
    schema: {
      operationId: 'resendVerification',
      tags: ['Accounts'],
      summary: 'Ask for another mail to verify an address',
      description: 'For the address of the session, or for the `email` in the body. The response is the same whether or not an account has it that is to be verified, and beyond the limits, where nothing is sent. Asking anew voids what was mailed before.',
      security: [...AUTHENTICATED, {}],
      body: Nullable(Type.Object({ email: Type.Optional(Email) }, { additionalProperties: false, examples: [{ email: EXAMPLE.email }] })),
      response: {
        202: jsonResponse(AskedSchema, { description: 'The request was accepted.', example: EXAMPLE_ASKED }),
        ...problemResponses(...BODY_PROBLEMS, 'unauthenticated', 'invalid_token', 'cross_site_request', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const email = request.body?.email ?? (await guards.findUser(request))?.email ?? undefined
    if (email === undefined) throw new Problem('unauthenticated')
    reply.code(202)
    return await askForMail({ flow: VERIFY_FLOW, email: normaliseEmail(email), locale: negotiateLocale(request.headers['accept-language']), client: clientInfo(request), report: reportTo(reply) })
  })
}
