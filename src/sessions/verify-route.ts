import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { Problem } from '../errors.ts'
import { jsonResponse, AUTHENTICATED, problemResponses } from '../http/openapi/openapi-responses.ts'
import type { Guards } from '../http/guards.ts'
import { EXAMPLE, named } from '../http/schemas.ts'
import { describeUnknownFields } from '../http/strict-validator.ts'
import { hasDotSegment } from './verify-path.ts'

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

const documented = {
  operationId: 'verify',
  tags: ['Sessions'],
  summary: 'Verify a credential',
  description: 'Verifies an access token without I/O, or a stateful session, which is read from Redis or Postgres unless it is cached. The headers of the response are for gateways. Every method but CONNECT, and any path below this one, gets the same response. The request body is ignored.',
  security: AUTHENTICATED,
  response: {
    200: jsonResponse(named('Principal'), {
      description: 'The credential is valid.',
      headers: {
        'X-Auth-User-Id': Type.String({ description: 'The id of the user.', examples: [EXAMPLE.id] }),
        'X-Auth-Role': Type.String({ description: 'The role of the user.', examples: ['user'] }),
        'X-Auth-Email': Type.String({ description: 'The e-mail address of the user, percent-encoded. Sent only where the address is verified.', examples: ['ada%40example.com'] })
      },
      example: EXAMPLE_PRINCIPAL
    }),
    ...problemResponses('unauthenticated', 'invalid_token', 'cross_site_request', 'validation_failed', 'unavailable')
  }
}

// OPTIONS needs a credential too: a preflight that everybody gets a 2xx for would let any request through a gateway.
const AS_GET = { cors: { preflight: false } }

/**
 * For gateways and for clients. It takes any method and any path below, for some gateways pass on those of the request
 * that they ask about. A token needs neither Postgres nor Redis.
 */
export const verifyRoute: FastifyPluginAsyncTypebox<VerifyRouteOptions> = async (app, { guards, principal }) => {
  function sendPrincipal (request: FastifyRequest, reply: FastifyReply): void {
    const { headers, body } = toResponse(principal(request))
    reply.headers(headers).send(body)
  }

  await app.register(async verify => {
    // Even the response is sent in onRequest: so the body, its size and its type are ignored.
    verify.addHook('onRequest', refuseDotSegments)
    verify.addHook('onRequest', guards.authenticate)
    verify.addHook('onRequest', refuseParameters)
    verify.addHook('onRequest', sendPrincipal)

    verify.get('', { schema: documented, config: AS_GET, exposeHeadRoute: false }, sendPrincipal)
    const method = verify.supportedMethods.filter(method => method !== 'CONNECT')
    verify.route({ method: method.filter(method => method !== 'GET'), url: '', schema: { hide: true }, config: AS_GET, handler: sendPrincipal })
    verify.route({ method, url: '/*', schema: { hide: true }, config: AS_GET, handler: sendPrincipal })
    // For methods that Fastify does not know: adding them would change the meaning of `all` for the host.
    verify.setNotFoundHandler(sendPrincipal)
  }, { prefix: '/auth/verify' })
}

/** @throws Problem 400 */
function refuseDotSegments ({ url }: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  done(hasDotSegment(url) ? new Problem('malformed_request') : undefined)
}

/** An unknown parameter may be meant to restrict what is accepted. On a path below, the query is that of a gateway's request. @throws Problem 422 */
function refuseParameters ({ params, query }: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  const isBelow = Object.hasOwn(params as object, '*')
  const names = isBelow ? [] : Object.keys(query as object)
  done(names.length === 0 ? undefined : new Problem('validation_failed', { errors: describeUnknownFields(names) }))
}

interface VerifyResponse {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

// The token cache returns the same principal object for the same token: so its response is serialized once.
const responses = new WeakMap<Principal, VerifyResponse>()

function toResponse (principal: Principal): VerifyResponse {
  const known = responses.get(principal)
  if (known !== undefined) return known
  const { id, role, email, emailVerified } = principal
  const response = {
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'x-auth-user-id': id,
      'x-auth-role': role,
      ...emailVerified && email !== null && { 'x-auth-email': encodeURIComponent(email) }
    },
    body: JSON.stringify(principal)
  }
  responses.set(principal, response)
  return response
}
