import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { jsonResponse } from '../http/openapi/openapi-responses.ts'
import { clientInfo } from '../http/client-info.ts'
import { WITHOUT_NUL } from '../http/schemas.ts'
import type { AuthenticateClient } from './client-authentication.ts'
import { CLIENT_PARAMETERS, BY_SECRET } from './oauth-parameters.ts'
import { CONSUMES } from './urlencoded-parser.ts'
import type { ClientCredentialsGrant } from './client-credentials-grant.ts'
import { OAuthError } from './oauth-error.ts'
import { oauthErrors } from './oauth-error-response.ts'

export interface TokenRouteOptions {
  authenticateClient: AuthenticateClient
  grant: ClientCredentialsGrant
}

const Target = Type.String({ maxLength: 255, pattern: WITHOUT_NUL })

/** RFC 6749 §4.4: issues a token to a client. */
export const tokenRoute: FastifyPluginAsyncTypebox<TokenRouteOptions> = async (app, { authenticateClient, grant }) => {
  app.post('/oauth/token', {
    schema: {
      operationId: 'getClientToken',
      tags: ['Services'],
      summary: 'Get an access token for a client',
      description: 'The client credentials grant (RFC 6749 §4.4). The client authenticates by HTTP Basic, or by `client_id` and `client_secret` in the form. The token is not a user\'s: routes for users refuse it.',
      security: BY_SECRET,
      consumes: CONSUMES,
      body: Type.Object({
        grant_type: Type.String({ description: '`client_credentials`' }),
        scope: Type.Optional(Type.String({ description: 'Scopes that the client is registered for, separated by spaces. Default: all of them.' })),
        audience: Type.Optional({ ...Target, description: 'The audience of the registered service that the token is for. Default: this service, and those that share its audience.' }),
        resource: Type.Optional({ ...Target, description: 'The same as `audience` (RFC 8707)' }),
        ...CLIENT_PARAMETERS
      }, { examples: [{ grant_type: 'client_credentials', scope: 'introspect' }] }),
      response: {
        200: jsonResponse(Type.Object({
          access_token: Type.String(),
          token_type: Type.Literal('Bearer'),
          expires_in: Type.Integer({ description: 'The lifetime of the token in seconds' }),
          scope: Type.Optional(Type.String({ description: 'The scopes of the token, separated by spaces. Absent where it has none.' }))
        }), {
          description: 'The access token',
          example: { access_token: 'eyJhbGciOiJIUzI1NiIs…', token_type: 'Bearer', expires_in: 600, scope: 'introspect' }
        }),
        ...oauthErrors('invalid_request', 'invalid_scope', 'invalid_target', 'unsupported_grant_type', 'invalid_client', 'too_many_requests', 'temporarily_unavailable')
      }
    }
  }, async (request, reply) => {
    const client = await authenticateClient(request)
    const { grant_type: grantType, scope, audience, resource } = request.body
    if (grantType !== 'client_credentials') throw new OAuthError('unsupported_grant_type', 'The only grant type is client_credentials')
    const { accessToken, expiresIn, scopes } = await grant(client, { scope, audience, resource }, clientInfo(request))
    // RFC 6749 §5.1 requires this beside `cache-control: no-store`, which every response has.
    reply.header('pragma', 'no-cache')
    return { access_token: accessToken, token_type: 'Bearer' as const, expires_in: expiresIn, ...scopes.length > 0 && { scope: scopes.join(' ') } }
  })
}
