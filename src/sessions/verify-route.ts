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
  summary: 'Who is asking',
  description: 'Checks an access token with no I/O; a stateful session is looked up where no copy of it is at hand. The headers of the answer are for gateways; `X-Auth-Email` is percent-encoded, and sent only when the address is verified. Every other method but CONNECT, and any path below, is answered the same; no body is looked at.',
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
    ...problemResponses('unauthenticated', 'invalid_token', 'cross_site_request', 'validation_failed', 'unavailable')
  }
}

// Whoever asks by OPTIONS asks like anybody else: a preflight that is answered to all would let any gateway's request in.
const AS_GET = { cors: { preflight: false } }

/**
 * The check for gateways and for clients: by any method, and at any path below, as gateways ask that pass on the request's
 * own. A token costs no database and no redis; a stateful session may have to be looked up.
 */
export const verifyRoute: FastifyPluginAsyncTypebox<VerifyRouteOptions> = async (app, { guards, principal }) => {
  function tell (request: FastifyRequest, reply: FastifyReply): void {
    const who = principal(request)
    const { headers, body } = written.get(who) ?? write(who)
    reply.headers(headers).send(body)
  }

  await app.register(async verify => {
    // All of it in onRequest, the answer too: nobody looks at a body, its size or its type.
    verify.addHook('onRequest', refuseDotSegments)
    verify.addHook('onRequest', guards.authenticate)
    verify.addHook('onRequest', refuseParameters)
    verify.addHook('onRequest', tell)

    verify.get('', { schema: documented, config: AS_GET, exposeHeadRoute: false }, tell)
    const method = verify.supportedMethods.filter(method => method !== 'CONNECT')
    verify.route({ method: method.filter(method => method !== 'GET'), url: '', schema: { hide: true }, config: AS_GET, handler: tell })
    verify.route({ method, url: '/*', schema: { hide: true }, config: AS_GET, handler: tell })
    // The methods that Fastify has no routes for: to teach it more would change what `all` means to the host.
    verify.setNotFoundHandler(tell)
  }, { prefix: '/auth/verify' })
}

/** @throws Problem 400 */
function refuseDotSegments ({ url }: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  done(hasDotSegment(url) ? new Problem('malformed_request') : undefined)
}

/** A parameter that is not known may have been meant to narrow the answer. Those below are of the request that is asked about. @throws Problem 422 */
function refuseParameters ({ params, query }: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  const isBelow = Object.hasOwn(params as object, '*')
  const names = isBelow ? [] : Object.keys(query as object)
  done(names.length === 0 ? undefined : new Problem('validation_failed', { errors: describeUnknownFields(names) }))
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
