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
  identityList: IdentityListStore
  getFreshProviderToken: GetFreshProviderToken
  guards: Guards
  principal: (request: FastifyRequest) => Principal
}

export const IdentitySchema = Type.Object({
  id: Id,
  provider: Type.String({ examples: ['google'] }),
  subject: Type.String({ description: 'The id of the person at the provider (`sub`)' }),
  email: Nullable(Type.String({ description: 'The e-mail address, as the provider last returned it' })),
  emailVerified: Type.Boolean({ description: 'Whether the provider says that the address is verified' }),
  createdAt: Time,
  lastUsedAt: Nullable(Time)
}, { description: 'An identity at a provider that is linked to an account' })

const Params = Type.Object({ id: Id })

export const identityRoutes: FastifyPluginAsyncTypebox<IdentityRoutesOptions> = async (app, { providers, presence, identityList, getFreshProviderToken, guards, principal }) => {
  app.addHook('onRequest', guards.authenticate)

  app.get('/auth/identities', {
    schema: {
      operationId: 'listIdentities',
      tags: ['Providers'],
      summary: 'List my identities at providers',
      security: AUTHENTICATED,
      response: {
        200: jsonResponse(Type.Object({ items: Type.Array(named('Identity')) }), { description: 'My identities, oldest first', example: { items: [EXAMPLE_IDENTITY] } }),
        ...problemResponses('unauthenticated', 'invalid_token', 'unavailable')
      }
    }
  }, async request => {
    return { items: (await identityList.list(principal(request).id)).map(presentLinkedIdentity) }
  })

  app.delete('/auth/identities/:id', {
    preHandler: presence.require,
    schema: {
      operationId: 'unlinkIdentity',
      tags: ['Providers'],
      summary: 'Unlink one of my identities',
      description: `The last way to log in cannot be removed: without a password, one identity has to remain. ${NEEDS_PRESENCE}`,
      security: AUTHENTICATED,
      params: Params,
      body: PresenceBody,
      response: { 204: emptyResponse('The identity is unlinked'), ...problemResponses(...BODY_PROBLEMS, 'unauthenticated', 'invalid_token', 'insufficient_user_authentication', 'cross_site_request', 'not_found', 'last_way_in', 'unavailable') }
    }
  }, async (request, reply) => {
    const outcome = await identityList.unlink({ id: request.params.id, userId: principal(request).id }, [...providers.keys()], clientInfo(request))
    if (outcome !== 'unlinked') throw new Problem(outcome)
    return reply.code(204).send(null)
  })

  if (![...providers.values()].some(({ keepsTokens }) => keepsTokens)) return

  app.get('/auth/identities/:id/token', {
    schema: {
      operationId: 'getProviderToken',
      tags: ['Providers'],
      summary: 'Get the provider\'s access token of one of my identities',
      description: 'The token is refreshed if it expires soon. Only for providers whose tokens are stored (`…_KEEP_TOKENS=true`).',
      security: AUTHENTICATED,
      params: Params,
      response: {
        200: jsonResponse(Type.Object({
          accessToken: Type.String(),
          expiresAt: Nullable(Time),
          scope: Nullable(Type.String({ description: 'The scope that the provider granted, if known' }))
        }), { description: 'A valid access token', example: { accessToken: 'ya29.a0AfH6SM…', expiresAt: EXAMPLE.time, scope: 'openid email profile' } }),
        ...problemResponses('unauthenticated', 'invalid_token', 'not_found', 'reauthorization_required', 'validation_failed', 'provider_error', 'provider_unavailable', 'unavailable')
      }
    }
  }, async request => {
    const { expiresAt, ...token } = await getFreshProviderToken({ id: request.params.id, userId: principal(request).id })
    return { ...token, expiresAt: expiresAt?.toISOString() ?? null }
  })
}

/** @returns an identity as in responses */
export function presentLinkedIdentity ({ createdAt, lastUsedAt, ...identity }: LinkedIdentity) {
  return { ...identity, createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt?.toISOString() ?? null }
}
