import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { Problem } from '../../errors.ts'
import { jsonResponse, AUTHENTICATED, BODY_PROBLEMS, emptyResponse, problemResponses } from '../../http/openapi/openapi-responses.ts'
import type { Guards } from '../../http/guards.ts'
import { clientInfo } from '../../http/client-info.ts'
import { EXAMPLE, EXAMPLE_IDENTITY, Id, named, Nullable, Time } from '../../http/schemas.ts'
import { NEEDS_PRESENCE, PresenceBody } from '../../sessions/schemas.ts'
import type { Presence } from '../../sessions/presence.ts'
import type { LinkedIdentity, IdentityListStore } from './identity-list-store.ts'
import type { GetFreshProviderToken } from '../tokens/fresh-provider-token.ts'
import type { Provider } from '../provider.ts'

export interface IdentityRoutesOptions {
  providers: ReadonlyMap<string, Provider>
  presence: Presence
  linked: IdentityListStore
  getLiveToken: GetFreshProviderToken
  guards: Guards
  principal: (request: FastifyRequest) => Principal
}

export const IdentitySchema = Type.Object({
  id: Id,
  provider: Type.String({ examples: ['google'] }),
  subject: Type.String({ description: 'What the provider knows the person by' }),
  email: Nullable(Type.String({ description: 'As the provider last gave it' })),
  emailVerified: Type.Boolean({ description: 'Whether the provider says that the address is theirs' }),
  createdAt: Time,
  lastUsedAt: Nullable(Time)
}, { description: 'An identity at a provider, linked to an account' })

const Params = Type.Object({ id: Id })

export const identityRoutes: FastifyPluginAsyncTypebox<IdentityRoutesOptions> = async (app, { providers, presence, linked, getLiveToken, guards, principal }) => {
  app.addHook('onRequest', guards.authenticate)

  app.get('/auth/identities', {
    schema: {
      operationId: 'listIdentities',
      tags: ['Providers'],
      summary: 'My identities at providers',
      security: AUTHENTICATED,
      response: {
        200: jsonResponse(Type.Object({ items: Type.Array(named('Identity')) }), { description: 'My identities, the oldest first', example: { items: [EXAMPLE_IDENTITY] } }),
        ...problemResponses('unauthenticated', 'invalid_token', 'unavailable')
      }
    }
  }, async request => {
    return { items: (await linked.list(principal(request).id)).map(presentLinkedIdentity) }
  })

  app.delete('/auth/identities/:id', {
    preHandler: presence.require,
    schema: {
      operationId: 'unlinkIdentity',
      tags: ['Providers'],
      summary: 'Unlink one of my identities',
      description: `But never the last way in: without a password, one identity has to remain. ${NEEDS_PRESENCE}`,
      security: AUTHENTICATED,
      params: Params,
      body: PresenceBody,
      response: { 204: emptyResponse('It is unlinked'), ...problemResponses(...BODY_PROBLEMS, 'unauthenticated', 'invalid_token', 'insufficient_user_authentication', 'cross_site_request', 'not_found', 'last_way_in', 'unavailable') }
    }
  }, async (request, reply) => {
    const outcome = await linked.unlink({ id: request.params.id, userId: principal(request).id }, [...providers.keys()], clientInfo(request))
    if (outcome !== 'unlinked') throw new Problem(outcome)
    return reply.code(204).send(null)
  })

  app.get('/auth/identities/:id/token', {
    schema: {
      operationId: 'getProviderToken',
      tags: ['Providers'],
      summary: 'The provider\'s access token of one of my identities',
      description: 'Refreshed when it is stale. Only where the provider is configured to have its tokens kept.',
      security: AUTHENTICATED,
      params: Params,
      response: {
        200: jsonResponse(Type.Object({
          accessToken: Type.String(),
          expiresAt: Nullable(Time),
          scope: Nullable(Type.String({ description: 'What the provider granted, where it says so' }))
        }), { description: 'Good for a while yet', example: { accessToken: 'ya29.a0AfH6SM…', expiresAt: EXAMPLE.time, scope: 'openid email profile' } }),
        ...problemResponses('unauthenticated', 'invalid_token', 'not_found', 'reauthorization_required', 'validation_failed', 'provider_error', 'provider_unavailable', 'unavailable')
      }
    }
  }, async request => {
    const { expiresAt, ...token } = await getLiveToken({ id: request.params.id, userId: principal(request).id })
    return { ...token, expiresAt: expiresAt?.toISOString() ?? null }
  })
}

/** @returns an identity as its owner is shown it */
export function presentLinkedIdentity ({ createdAt, lastUsedAt, ...identity }: LinkedIdentity) {
  return { ...identity, createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt?.toISOString() ?? null }
}
