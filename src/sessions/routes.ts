import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { BODY_PROBLEMS, problemResponses, PUBLIC } from '../http/openapi/openapi-responses.ts'
import { clientInfo } from '../http/client-info.ts'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import { normaliseEmail } from '../http/email-address.ts'
import type { CsrfProtection } from '../http/csrf.ts'
import { EXAMPLE, WITHOUT_NUL } from '../http/schemas.ts'
import { reportTo } from '../limits/limit-by-network.ts'
import type { SendLogin } from './login-response.ts'
import type { FindKnownDevices } from './known-device.ts'
import type { LogIn } from './log-in.ts'
import { AudienceName, Deliver, loginResponse, refuseAudienceOf } from './schemas.ts'

export interface SessionRoutesOptions {
  logIn: LogIn
  sendLogin: SendLogin
  findKnownDevices: FindKnownDevices
  csrf: CsrfProtection
}

const Email = Type.String({ minLength: 1, maxLength: 320, pattern: WITHOUT_NUL, description: 'The e-mail address of the account. Case does not matter.', examples: [EXAMPLE.email] })
const Password = Type.String({ minLength: 1, maxLength: 1024, examples: [EXAMPLE.password] })

export const sessionRoutes: FastifyPluginAsyncTypebox<SessionRoutesOptions> = async (app, { logIn, sendLogin, findKnownDevices, csrf }) => {
  app.post('/auth/login', {
    schema: {
      operationId: 'login',
      tags: ['Sessions'],
      summary: 'Log in with a password',
      description: 'Opens a session. An unknown account and a wrong password get the same response, after the same time.',
      security: PUBLIC,
      body: Type.Object({ email: Email, password: Password, deliver: Type.Optional(Deliver), audience: Type.Optional(AudienceName) }, {
        additionalProperties: false,
        examples: [{ email: EXAMPLE.email, password: EXAMPLE.password }]
      }),
      response: {
        200: loginResponse('The session was opened.'),
        ...problemResponses(...BODY_PROBLEMS, 'invalid_credentials', 'account_deletion_scheduled', 'email_unverified', 'cross_site_request', 'unknown_audience', 'too_many_requests', 'too_many_failures', 'too_busy', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { email, password, deliver: channel = 'body', audience } = request.body
    refuseAudienceOf(channel, audience)
    if (channel !== 'body') csrf.checkLogin(request)
    const login = await logIn({
      email: normaliseEmail(email),
      password,
      channel,
      audience,
      client: clientInfo(request),
      devices: await findKnownDevices(request),
      report: reportTo(reply),
      signal: abortOnDisconnect(reply)
    })
    return sendLogin(reply, login)
  })
}
