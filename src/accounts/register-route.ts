import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import { clientInfo } from '../http/client-info.ts'
import type { CsrfProtection } from '../http/csrf.ts'
import { normaliseEmail } from '../http/email-address.ts'
import { BODY_PROBLEMS, jsonResponse, problemResponses, PUBLIC } from '../http/openapi/openapi-responses.ts'
import { Email, EXAMPLE, Name } from '../http/schemas.ts'
import { reportTo } from '../limits/limit-by-network.ts'
import { AskedSchema, EXAMPLE_ASKED } from '../mail-requests/schemas.ts'
import { negotiateLocale } from '../messages/locales.ts'
import type { SendLogin } from '../sessions/login-response.ts'
import { AudienceName, Deliver, loginResponse, refuseAudienceOf } from '../sessions/schemas.ts'
import type { Register } from './register.ts'

export interface RegisterRouteOptions {
  register: Register
  sendLogin: SendLogin
  csrf: CsrfProtection
}

/** Registering where an account can be used before its address is proved. */
export const registerRoute: FastifyPluginAsyncTypebox<RegisterRouteOptions> = async (app, { register, sendLogin, csrf }) => {
  app.post('/auth/register', {
    schema: {
      operationId: 'register',
      tags: ['Accounts'],
      summary: 'Create an account and log in',
      description: 'Where mail is sent, the address is mailed a code and a link to verify it. With `REQUIRE_VERIFIED_EMAIL`, registering is answered 202 instead, and the account is made once `POST /auth/register/confirm` has proved the address.',
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
        202: jsonResponse(AskedSchema, { description: 'Only with `REQUIRE_VERIFIED_EMAIL`: the request was accepted.', example: EXAMPLE_ASKED }),
        ...problemResponses(...BODY_PROBLEMS, 'cross_site_request', 'email_taken', 'weak_password', 'unknown_audience', 'too_many_requests', 'too_busy', 'unavailable')
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
      locale: negotiateLocale(request.headers['accept-language']) ?? null,
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
