import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Problem } from '../errors.ts'
import { BODY_PROBLEMS, problemResponses, PUBLIC } from '../http/openapi/openapi-responses.ts'
import { clientInfo } from '../http/client-info.ts'
import type { Cookies } from '../http/cookies.ts'
import type { CsrfProtection } from '../http/csrf.ts'
import { Nullable } from '../http/schemas.ts'
import type { SendLogin } from './login-response.ts'
import { IdempotencyHeaders } from './idempotency-key.ts'
import { AudienceName, loginAnswer } from './login-schema.ts'
import type { RotateRefreshToken } from './rotate-refresh-token.ts'

export interface RefreshRouteOptions {
  rotate: RotateRefreshToken
  deliver: SendLogin
  cookies: Cookies
  csrf: CsrfProtection
}

export const refreshRoute: FastifyPluginAsyncTypebox<RefreshRouteOptions> = async (app, { rotate, deliver, cookies, csrf }) => {
  app.post('/auth/refresh', {
    schema: {
      operationId: 'refresh',
      tags: ['Sessions'],
      summary: 'Get a new pair of tokens',
      description: 'Takes the refresh token in the body, or the cookie, and answers in the same way. A client that lost the answer asks again with the token it has: within 30 s, or at any time under the same `Idempotency-Key`, it gets the same successor. Any other second use ends the session.',
      security: PUBLIC,
      headers: IdempotencyHeaders,
      body: Nullable(Type.Object({ refreshToken: Type.Optional(Type.String({ maxLength: 4096 })), audience: Type.Optional(AudienceName) }, {
        additionalProperties: false,
        examples: [{ refreshToken: '01890a5d-ac96-774b-bcce-b302099a8057.0.…' }]
      })),
      response: {
        200: loginAnswer('The new pair'),
        ...problemResponses(...BODY_PROBLEMS, 'invalid_refresh_token', 'refresh_token_reused', 'cross_site_request', 'unknown_audience', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const fromBody = request.body?.refreshToken
    const refreshToken = fromBody ?? cookies.read(request, 'refresh')
    if (refreshToken === undefined) throw new Problem('invalid_refresh_token')
    const channel = fromBody === undefined ? 'cookie' : 'body'
    if (channel === 'cookie') csrf.checkLogin(request)
    try {
      return deliver(reply, await rotate({ refreshToken, channel, audience: request.body?.audience, idempotencyKey: request.headers['idempotency-key'], client: clientInfo(request) }))
    } catch (error) {
      // What is over is over: a browser need not go on sending it.
      if (channel === 'cookie' && error instanceof Problem && error.statusCode === 401) for (const role of ['access', 'refresh'] as const) cookies.clear(reply, role)
      throw error
    }
  })
}
