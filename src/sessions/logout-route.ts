import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Problem } from '../errors.ts'
import { clientInfo } from '../http/client-info.ts'
import type { Cookies } from '../http/cookies.ts'
import type { CsrfProtection } from '../http/csrf.ts'
import { AUTHENTICATED, BODY_PROBLEMS, emptyResponse, problemResponses } from '../http/openapi/openapi-responses.ts'
import { Nullable } from '../http/schemas.ts'
import type { SessionName } from './end-session-store.ts'
import type { LogOut } from './log-out.ts'
import type { ReadLogoutCredentials } from './logout-credentials.ts'
import { CLEARED_COOKIES, EXAMPLE_REFRESH_TOKEN } from './schemas.ts'

export interface LogoutRouteOptions {
  logOut: LogOut<SessionName>
  readLogoutCredentials: ReadLogoutCredentials
  cookies: Cookies
  csrf: CsrfProtection
}

export const logoutRoute: FastifyPluginAsyncTypebox<LogoutRouteOptions> = async (app, { logOut, readLogoutCredentials, cookies, csrf }) => {
  app.post('/auth/logout', {
    schema: {
      operationId: 'logout',
      tags: ['Sessions'],
      summary: 'End this session',
      description: 'Takes the access token as a Bearer header, the refresh token in the body, and the cookies, and ends the session of each: an expired access token does too. Every credential of these sessions is refused by the time of the response, and the cookies are cleared. Where only dead cookies or tokens came, the response is the same.',
      security: [...AUTHENTICATED, {}],
      body: Nullable(Type.Object({ refreshToken: Type.Optional(Type.String({ maxLength: 512 })) }, {
        additionalProperties: false,
        examples: [{ refreshToken: EXAMPLE_REFRESH_TOKEN }]
      })),
      response: {
        204: emptyResponse('The session was ended.', CLEARED_COOKIES),
        ...problemResponses(...BODY_PROBLEMS, 'unauthenticated', 'invalid_token', 'invalid_refresh_token', 'cross_site_request', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { sessions, refusals, forgery, hasCookies } = readLogoutCredentials(request)
    const isFromBrowser = hasCookies || cookies.carriesCredential(request)
    if (isFromBrowser) csrf.checkLogin(request)
    // A session that could not be ended might go on: then the response is 503, and the cookies stay.
    for (const session of sessions) await logOut(session, clientInfo(request))
    if (hasCookies) cookies.clear(reply, 'access', 'refresh', 'session')
    // A client that sends what was never issued has to learn that nothing has ended. A browser cannot get rid of its cookies.
    const refusal = forgery ?? (cookies.carriesCredential(request) ? undefined : refusals[0]) ?? (isFromBrowser ? undefined : new Problem('unauthenticated'))
    if (sessions.length === 0 && refusal !== undefined) throw refusal
    return reply.code(204).send(null)
  })
}
