import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Problem } from '../errors.ts'
import { BODY_PROBLEMS, problemResponses, PUBLIC } from '../http/openapi/openapi-responses.ts'
import { clientInfo } from '../http/client-info.ts'
import { AmbiguousCookie, type Cookies } from '../http/cookies.ts'
import type { CsrfProtection } from '../http/csrf.ts'
import { Nullable } from '../http/schemas.ts'
import { reportTo } from '../limits/limit-by-network.ts'
import type { SendLogin } from './login-response.ts'
import type { RotateRefreshToken } from './rotate-refresh-token.ts'
import { AudienceName, EXAMPLE_REFRESH_TOKEN, IdempotencyHeaders, loginResponse } from './schemas.ts'

export interface RefreshRouteOptions {
  rotateRefreshToken: RotateRefreshToken
  sendLogin: SendLogin
  cookies: Cookies
  csrf: CsrfProtection
}

export const refreshRoute: FastifyPluginAsyncTypebox<RefreshRouteOptions> = async (app, { rotateRefreshToken, sendLogin, cookies, csrf }) => {
  app.post('/auth/refresh', {
    schema: {
      operationId: 'refresh',
      tags: ['Sessions'],
      summary: 'Get a new pair of tokens',
      description: 'Takes the refresh token in the body or in the cookie, and returns the new one in the same way. A client that lost the response repeats the request: within 30 s, or at any time with the same `Idempotency-Key`, it gets the same successor. Any other reuse ends the session.',
      security: PUBLIC,
      headers: IdempotencyHeaders,
      body: Nullable(Type.Object({ refreshToken: Type.Optional(Type.String({ maxLength: 4096 })), audience: Type.Optional(AudienceName) }, {
        additionalProperties: false,
        examples: [{ refreshToken: EXAMPLE_REFRESH_TOKEN }]
      })),
      response: {
        200: loginResponse('The new pair of tokens.'),
        ...problemResponses(...BODY_PROBLEMS, 'invalid_refresh_token', 'refresh_token_reused', 'cross_site_request', 'unknown_audience', 'too_many_requests', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const fromBody = request.body?.refreshToken
    const refreshToken = fromBody ?? fromCookie(request)
    if (refreshToken === undefined) throw new Problem('invalid_refresh_token')
    const channel = fromBody === undefined ? 'cookie' : 'body'
    if (channel === 'cookie') csrf.checkLogin(request)
    // A refusal clears no cookie: arriving late, it would take away those of a login made meanwhile.
    return sendLogin(reply, await rotateRefreshToken({ refreshToken, channel, audience: request.body?.audience, idempotencyKey: request.headers['idempotency-key'], client: clientInfo(request), report: reportTo(reply) }))
  })

  function fromCookie (request: FastifyRequest): string | undefined {
    try {
      return cookies.read(request, 'refresh')
    } catch (error) {
      // Not cleared either: logging in and logging out do that.
      throw error instanceof AmbiguousCookie ? new Problem('invalid_refresh_token') : error
    }
  }
}
