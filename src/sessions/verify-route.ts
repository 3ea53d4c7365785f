import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { jsonResponse, AUTHENTICATED, problemResponses } from '../http/openapi/openapi-responses.ts'
import type { Guards } from '../http/guards.ts'
import { EXAMPLE, named } from '../http/schemas.ts'

export interface VerifyRouteOptions {
  guards: Guards
  principal: (request: FastifyRequest) => Principal
}

const EXAMPLE_PRINCIPAL: Principal = {
  id: EXAMPLE.id,
  email: EXAMPLE.email,
  emailVerified: true,
  role: 'user',
  sessionId: '01890a5d-ac97-7d3c-9a41-5f6f2b1f0c5e',
  clientId: 'countersign',
  scopes: [],
  tokenId: 'AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA',
  issuedAt: EXAMPLE.time,
  expiresAt: '2026-01-31T12:10:00.000Z',
  credential: 'bearer'
}

/** The check for gateways and for clients. A token costs no database and no redis; a stateful session may have to be looked up. */
export const verifyRoute: FastifyPluginAsyncTypebox<VerifyRouteOptions> = async (app, { guards, principal }) => {
  app.get('/auth/verify', {
    onRequest: guards.authenticate,
    schema: {
      operationId: 'verify',
      tags: ['Sessions'],
      summary: 'Who is asking',
      description: 'Checks an access token with no I/O; a stateful session is looked up where no copy of it is at hand. The headers of the answer are for gateways; `X-Auth-Email` is percent-encoded, and sent only when the address is verified.',
      security: AUTHENTICATED,
      response: {
        200: jsonResponse(named('Principal'), {
          description: 'The credential is good',
          headers: {
            'X-Auth-User-Id': Type.String({ examples: [EXAMPLE.id] }),
            'X-Auth-Role': Type.String({ examples: ['user'] }),
            'X-Auth-Email': Type.String({ description: 'Percent-encoded; only where the address is verified', examples: ['ada%40example.com'] })
          },
          example: EXAMPLE_PRINCIPAL
        }),
        ...problemResponses('unauthenticated', 'invalid_token', 'cross_site_request', 'unavailable')
      }
    }
  }, (request, reply) => {
    const who = principal(request)
    const { headers, body } = written.get(who) ?? write(who)
    reply.headers(headers).send(body)
  })
}

interface WrittenPrincipal {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

// A token that is seen again has the same principal again, to the very object: so its answer is written once.
const written = new WeakMap<Principal, WrittenPrincipal>()

function write (who: Principal): WrittenPrincipal {
  const answer = {
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'x-auth-user-id': who.id,
      'x-auth-role': who.role,
      ...who.emailVerified && who.email !== null && { 'x-auth-email': encodeURIComponent(who.email) }
    },
    body: JSON.stringify(who)
  }
  written.set(who, answer)
  return answer
}
