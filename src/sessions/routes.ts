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
import type { KnowsDevice } from './known-device.ts'
import type { LogIn } from './log-in.ts'
import type { LogOut, LogoutRequest } from './log-out.ts'
import { AudienceName, CLEARED_COOKIES, Deliver, loginAnswer, refuseAudienceOf } from './login-schema.ts'
import type { RefreshTokens } from './refresh-token.ts'

export interface SessionRoutesOptions {
  logIn: LogIn
  logOut: LogOut
  deliver: SendLogin
  knowsDevice: KnowsDevice
  guards: Guards
  refreshTokens: RefreshTokens
  cookies: Cookies
  csrf: CsrfProtection
}

const Email = Type.String({ minLength: 1, maxLength: 320, pattern: WITHOUT_NUL, description: 'Compared without regard to case', examples: [EXAMPLE.email] })
const Password = Type.String({ minLength: 1, maxLength: 1024, examples: [EXAMPLE.password] })

export const sessionRoutes: FastifyPluginAsyncTypebox<SessionRoutesOptions> = async (app, { logIn, logOut, deliver, knowsDevice, guards, refreshTokens, cookies, csrf }) => {
  app.post('/auth/login', {
    schema: {
      operationId: 'login',
      tags: ['Sessions'],
      summary: 'Log in with a password',
      description: 'Opens a session. An unknown account and a wrong password are answered alike, and take the same time.',
      security: PUBLIC,
      body: Type.Object({ email: Email, password: Password, deliver: Type.Optional(Deliver), audience: Type.Optional(AudienceName) }, {
        additionalProperties: false,
        examples: [{ email: EXAMPLE.email, password: EXAMPLE.password }]
      }),
      response: {
        200: loginAnswer('The session is open'),
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
      knows: await knowsDevice(request),
      signal: abortOnDisconnect(reply)
    })
    return deliver(reply, login)
  })

  app.post('/auth/logout', {
    schema: {
      operationId: 'logout',
      tags: ['Sessions'],
      summary: 'End this session',
      description: 'Takes the refresh token in the body, the access token as a Bearer header, or the cookies. What it carried is dead when the answer arrives.',
      security: [...AUTHENTICATED, {}],
      body: Nullable(Type.Object({ refreshToken: Type.Optional(Type.String({ maxLength: 512 })) }, {
        additionalProperties: false,
        examples: [{ refreshToken: '01890a5d-ac96-774b-bcce-b302099a8057.0.…' }]
      })),
      response: {
        204: emptyResponse('The session has ended', CLEARED_COOKIES),
        ...problemResponses(...BODY_PROBLEMS, 'unauthenticated', 'invalid_token', 'invalid_refresh_token', 'cross_site_request', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { headers: { authorization }, body } = request
    const isByCookie = body?.refreshToken === undefined && bearerToken(authorization) === undefined
    const tokens = [isByCookie ? cookies.read(request, 'refresh') : body?.refreshToken].filter(token => token !== undefined)
    const sessions = await findGood([...tokens.map(readRefreshToken), ...isByCookie ? guards.byCookie(request) : guards.byBearer(request)])
    for (const session of sessions) await logOut(session, clientInfo(request))
    if (isByCookie) cookies.clear(reply, 'access', 'refresh', 'session')
    return reply.code(204).send(null)
  })

  // Every session that cookies carry ends, for one browser may carry several; it is refused only when none was good, or
  // when nobody can say for now whether one is: it might go on, and the answer would say that it does not.
  async function findGood (carried: Array<Promise<LogoutRequest>>): Promise<LogoutRequest[]> {
    const results = await Promise.allSettled(carried)
    const good = results.flatMap(result => result.status === 'fulfilled' ? [result.value] : [])
    const refusals = results.flatMap(result => result.status === 'rejected' ? [result.reason] : [])
    const failure = refusals.find(({ statusCode }: Problem) => statusCode >= 500)
    if (failure !== undefined || good.length === 0) throw failure ?? refusals[0] ?? new Problem('unauthenticated')
    return good
  }

  async function readRefreshToken (token: string): Promise<LogoutRequest> {
    return refreshTokens.read(token)
  }
}
