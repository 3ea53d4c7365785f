import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { emptyResponse } from '../http/openapi/openapi-responses.ts'
import { clientInfo } from '../http/client-info.ts'
import type { ClientAuthentication } from './client-authentication.ts'
import { BY_SECRET_OR_TOKEN, CLIENT_PARAMETERS, TOKEN_PARAMETERS } from './oauth-parameters.ts'
import { CONSUMES } from './urlencoded-parser.ts'
import { oauthErrors } from './oauth-error-response.ts'
import type { RevokeToken } from './revoke-token.ts'

export interface RevokeRouteOptions {
  authorizeClient: ClientAuthentication['authorizeClient']
  revoke: RevokeToken
}

/** RFC 7009: revokes a token. */
export const revokeRoute: FastifyPluginAsyncTypebox<RevokeRouteOptions> = async (app, { authorizeClient, revoke }) => {
  const authorize = authorizeClient()

  app.post('/oauth/revoke', {
    schema: {
      operationId: 'revokeToken',
      tags: ['Services'],
      summary: 'Revoke a token',
      description: 'Token revocation (RFC 7009). Revoking a user\'s access or refresh token ends the session and requires the scope `sessions:revoke`. A client can always revoke its own access tokens. For an unknown token the response is 200 too.',
      security: BY_SECRET_OR_TOKEN,
      consumes: CONSUMES,
      body: Type.Object({ ...TOKEN_PARAMETERS, ...CLIENT_PARAMETERS }, { examples: [{ token: '01890a5d-ac96-774b-bcce-b302099a8057.0.…' }] }),
      response: {
        200: emptyResponse('The token is revoked'),
        ...oauthErrors('invalid_request', 'unauthorized_client', 'invalid_client', 'too_many_requests', 'invalid_token', 'insufficient_scope', 'temporarily_unavailable')
      }
    }
  }, async (request, reply) => {
    const client = await authorize(request)
    await revoke(request.body.token, client, clientInfo(request))
    // RFC 7009 §2.2: the client needs the status only.
    return reply.code(200).serializer(() => '').send(null)
  })
}
