import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import { jsonResponse } from '../http/openapi/openapi-responses.ts'
import { EXAMPLE, Id, RoleName } from '../http/schemas.ts'
import type { VerifiedToken } from '../tokens/verify-any-token.ts'
import type { ClientAuthentication } from './client-authentication.ts'
import { BY_SECRET_OR_TOKEN, CLIENT_PARAMETERS, TOKEN_PARAMETERS } from './oauth-parameters.ts'
import { CONSUMES } from './urlencoded-parser.ts'
import type { Introspect } from './introspect.ts'
import { oauthErrors } from './oauth-error-response.ts'

export interface IntrospectRouteOptions {
  authorizeClient: ClientAuthentication['authorizeClient']
  introspect: Introspect
}

const Introspection = Type.Object({
  active: Type.Boolean(),
  iss: Type.Optional(Type.String()),
  aud: Type.Optional(Type.String()),
  sub: Type.Optional(Type.String({ description: 'The id of the user or of the client' })),
  client_id: Type.Optional(Type.String()),
  token_type: Type.Optional(Type.Literal('Bearer')),
  iat: Type.Optional(Type.Integer()),
  exp: Type.Optional(Type.Integer()),
  jti: Type.Optional(Type.String()),
  scope: Type.Optional(Type.String({ description: 'The scopes of a client\'s token, separated by spaces' })),
  username: Type.Optional(Type.String({ description: 'The user\'s e-mail address, if it is verified' })),
  email: Type.Optional(Type.String({ description: 'The user\'s e-mail address. Do not identify a user by it unless `email_verified` is true.' })),
  email_verified: Type.Optional(Type.Boolean()),
  role: Type.Optional(RoleName),
  sid: Type.Optional(Id),
  ver: Type.Optional(Type.Integer())
})

const EXAMPLE_USER_TOKEN: Static<typeof Introspection> = {
  active: true,
  iss: 'https://auth.example.com',
  aud: 'cart',
  sub: EXAMPLE.id,
  client_id: 'countersign',
  token_type: 'Bearer',
  iat: 1_769_860_800,
  exp: 1_769_861_400,
  jti: 'AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA',
  username: EXAMPLE.email,
  email: EXAMPLE.email,
  email_verified: true,
  role: 'user',
  sid: '01890a5d-ac97-7d3c-9a41-5f6f2b1f0c5e',
  ver: 1
}

/** RFC 7662: the content of an access token, and whether it is active. */
export const introspectRoute: FastifyPluginAsyncTypebox<IntrospectRouteOptions> = async (app, { authorizeClient, introspect }) => {
  const authorize = authorizeClient('introspect')

  app.post('/oauth/introspect', {
    schema: {
      operationId: 'introspectToken',
      tags: ['Services'],
      summary: 'Introspect an access token',
      description: 'Token introspection (RFC 7662), for services that do not verify tokens themselves. Requires the scope `introspect`. A token for another audience than the client\'s is inactive, as is one that was revoked, was forged or has expired.',
      security: BY_SECRET_OR_TOKEN,
      consumes: CONSUMES,
      body: Type.Object({ ...TOKEN_PARAMETERS, ...CLIENT_PARAMETERS }, { examples: [{ token: 'eyJhbGciOiJIUzI1NiIs…' }] }),
      response: {
        200: jsonResponse(Introspection, {
          description: 'The content of the token, or `active: false`',
          examples: {
            active: { summary: 'A user\'s token', value: EXAMPLE_USER_TOKEN },
            inactive: { summary: 'A token that is not active, or is for another audience', value: { active: false } }
          }
        }),
        ...oauthErrors('invalid_request', 'invalid_client', 'too_many_requests', 'invalid_token', 'insufficient_scope', 'temporarily_unavailable')
      }
    }
  }, async request => {
    const client = await authorize(request)
    const inspected = await introspect(request.body.token, client)
    return inspected === undefined ? { active: false } : toIntrospection(inspected)
  })
}

function toIntrospection (inspected: VerifiedToken): Static<typeof Introspection> {
  const { nbf: _, ...claims } = inspected.claims
  const content = { active: true, token_type: 'Bearer' as const, ...claims }
  if (inspected.of === 'client') return content
  const { email, email_verified: isVerified } = inspected.claims
  return { ...content, ...isVerified === true && email !== undefined && { username: email } }
}
