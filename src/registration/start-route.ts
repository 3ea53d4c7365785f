import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import { clientInfo } from '../http/client-info.ts'
import { normaliseEmail } from '../http/email-address.ts'
import { BODY_PROBLEMS, jsonResponse, problemResponses, PUBLIC } from '../http/openapi/openapi-responses.ts'
import { Email, EXAMPLE, Name } from '../http/schemas.ts'
import { reportTo } from '../limits/limit-by-network.ts'
import { AskedSchema, EXAMPLE_ASKED } from '../mail-requests/schemas.ts'
import { negotiateLocale } from '../messages/locales.ts'
import { AudienceName, Deliver } from '../sessions/schemas.ts'
import type { StartRegistration } from './start-registration.ts'

/** Registering where an account is made only once its address is proved. */
export const startRegistrationRoute: FastifyPluginAsyncTypebox<{ startRegistration: StartRegistration }> = async (app, { startRegistration }) => {
  app.post('/auth/register', {
    schema: {
      operationId: 'register',
      tags: ['Accounts'],
      summary: 'Begin to register',
      description: 'Mails a code and a link to the address; where it has an account already, a notice of that. The response is the same. `deliver` and `audience` are accepted for the sake of clients that know both modes, and mean nothing before the account is confirmed.',
      security: PUBLIC,
      body: Type.Object({
        email: Email,
        password: Type.String({ minLength: 1, maxLength: 1024, description: 'The password, used exactly as it is sent.', examples: [EXAMPLE.password] }),
        name: Type.Optional(Name),
        deliver: Type.Optional(Deliver),
        audience: Type.Optional(AudienceName)
      }, { additionalProperties: false, examples: [{ email: EXAMPLE.email, password: EXAMPLE.password, name: EXAMPLE.name }] }),
      response: {
        202: jsonResponse(AskedSchema, { description: 'The request was accepted.', example: EXAMPLE_ASKED }),
        ...problemResponses(...BODY_PROBLEMS, 'cross_site_request', 'weak_password', 'too_many_requests', 'too_busy', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { email, password, name = null } = request.body
    reply.code(202)
    return await startRegistration({
      email: normaliseEmail(email),
      password,
      name,
      locale: negotiateLocale(request.headers['accept-language']),
      client: clientInfo(request),
      signal: abortOnDisconnect(reply),
      report: reportTo(reply)
    })
  })
}
