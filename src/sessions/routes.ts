import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { AUTHENTICATED, BODY_PROBLEMS, emptyResponse, problemResponses, PUBLIC } from '../http/openapi/openapi-responses.ts'
import { Problem } from '../errors.ts'
import { bearerToken, type Guards } from '../http/guards.ts'
import { clientInfo } from '../http/client-info.ts'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import type { Cookies } from '../http/cookies.ts'
import { normaliseEmail } from '../http/email-address.ts'
import type { CsrfProtection } from '../http/csrf.ts'
import { EXAMPLE, Nullable, WITHOUT_NUL } from '../http/schemas.ts'
import type { SendLogin } from './login-response.ts'
import type { CheckKnownDevice } from './known-device.ts'
import type { LogIn } from './log-in.ts'
import type { LogOut, LogoutRequest } from './log-out.ts'
import type { RefreshTokens } from './refresh-token.ts'
import { AudienceName, CLEARED_COOKIES, Deliver, EXAMPLE_REFRESH_TOKEN, loginResponse, refuseAudienceOf } from './schemas.ts'

export interface SessionRoutesOptions {
  logIn: LogIn
  logOut: LogOut
  sendLogin: SendLogin
  checkKnownDevice: CheckKnownDevice
  guards: Guards
  refreshTokens: RefreshTokens
  cookies: Cookies
  csrf: CsrfProtection
}

const Email = Type.String({ minLength: 1, maxLength: 320, pattern: WITHOUT_NUL, description: 'The e-mail address of the account. Case does not matter.', examples: [EXAMPLE.email] })
const Password = Type.String({ minLength: 1, maxLength: 1024, examples: [EXAMPLE.password] })

export const sessionRoutes: FastifyPluginAsyncTypebox<SessionRoutesOptions> = async (app, { logIn, logOut, sendLogin, checkKnownDevice, guards, refreshTokens, cookies, csrf }) => {
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
        ...problemResponses(...BODY_PROBLEMS, 'invalid_credentials', 'cross_site_request', 'unknown_audience', 'too_busy', 'unavailable')
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
      isKnownDevice: await checkKnownDevice(request),
      signal: abortOnDisconnect(reply)
    })
    return sendLogin(reply, login)
  })

  app.post('/auth/logout', {
    schema: {
      operationId: 'logout',
      tags: ['Sessions'],
      summary: 'End this session',
      description: 'Takes the refresh token in the body, the access token as a Bearer header, or the cookies. Every credential of the session is refused by the time of the response.',
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
    const { headers: { authorization }, body } = request
    const isByCookie = body?.refreshToken === undefined && bearerToken(authorization) === undefined
    const tokens = [isByCookie ? cookies.read(request, 'refresh') : body?.refreshToken].filter(token => token !== undefined)
    const sessions = await findSessions([...tokens.map(readRefreshToken), ...isByCookie ? guards.byCookie(request) : guards.byBearer(request)])
    for (const session of sessions) await logOut(session, clientInfo(request))
    if (isByCookie) cookies.clear(reply, 'access', 'refresh', 'session')
    return reply.code(204).send(null)
  })

  // Every session that the cookies name ends, for a browser may have several. The request fails only where no credential is
  // valid, or where one cannot be checked at present: its session might go on, and the response would say otherwise.
  async function findSessions (credentials: Array<Promise<LogoutRequest>>): Promise<LogoutRequest[]> {
    const results = await Promise.allSettled(credentials)
    const sessions = results.flatMap(result => result.status === 'fulfilled' ? [result.value] : [])
    const refusals = results.flatMap(result => result.status === 'rejected' ? [result.reason] : [])
    const failure = refusals.find(({ statusCode }: Problem) => statusCode >= 500)
    if (failure !== undefined || sessions.length === 0) throw failure ?? refusals[0] ?? new Problem('unauthenticated')
    return sessions
  }

  async function readRefreshToken (token: string): Promise<LogoutRequest> {
    return refreshTokens.read(token)
  }
}
