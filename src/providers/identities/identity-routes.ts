import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { Problem } from '../../errors.ts'
import { jsonResponse, AUTHENTICATED, BODY_PROBLEMS, emptyResponse, problemResponses } from '../../http/openapi/openapi-responses.ts'
import type { Guards } from '../../http/guards.ts'
import { clientInfo } from '../../http/client-info.ts'
import { abortOnDisconnect } from '../../http/abort-on-disconnect.ts'
import type { CsrfProtection } from '../../http/csrf.ts'
import { EXAMPLE, Id, named, Nullable, Time } from '../../http/schemas.ts'
import type { StartAuthorization } from '../flow/start-authorization.ts'
import type { LinkIdentity } from './link-identity.ts'
import type { LinkedIdentity, IdentityListStore } from './identity-list-store.ts'
import type { GetFreshProviderToken } from '../tokens/fresh-provider-token.ts'
import type { Provider } from '../provider.ts'
import type { RedirectTargets } from '../flow/redirect-targets.ts'
import { RedirectTo } from '../schemas.ts'

export interface IdentityRoutesOptions {
  providers: ReadonlyMap<string, Provider>
  redirects: RedirectTargets
  begin: StartAuthorization
  linking: Pick<LinkIdentity, 'permit'>
  linked: IdentityListStore
  getLiveToken: GetFreshProviderToken
  guards: Guards
  principal: (request: FastifyRequest) => Principal
  csrf: CsrfProtection
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

const EXAMPLE_IDENTITY = { id: EXAMPLE.id, provider: 'google', subject: '110169484474386276334', email: EXAMPLE.email, emailVerified: true, createdAt: EXAMPLE.time, lastUsedAt: EXAMPLE.time }
const PROVIDER_URL = 'https://accounts.google.com/o/oauth2/v2/auth?client_id=…'
const Params = Type.Object({ id: Id })

export const identityRoutes: FastifyPluginAsyncTypebox<IdentityRoutesOptions> = async (app, { providers, redirects, begin, linking, linked, getLiveToken, guards, principal, csrf }) => {
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
    return { items: (await linked.list(principal(request).id)).map(present) }
  })

  app.post('/auth/identities/link', {
    schema: {
      operationId: 'linkIdentity',
      tags: ['Providers'],
      summary: 'Begin to link an identity to my account',
      description: 'Answers the address to send the browser to. It needs a login in the last five minutes, or the password; and the browser that comes back must carry the same session in cookies, whatever credential begins it.',
      security: AUTHENTICATED,
      body: Type.Object({
        provider: Type.String({ examples: ['google'] }),
        redirectTo: Type.Optional(RedirectTo),
        password: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, examples: [EXAMPLE.password] }))
      }, { additionalProperties: false, examples: [{ provider: 'google', redirectTo: 'https://app.example.com/welcome' }] }),
      response: {
        200: jsonResponse(Type.Object({ url: Type.String({ format: 'uri' }) }), { description: 'Where to go', example: { url: PROVIDER_URL } }),
        ...problemResponses(...BODY_PROBLEMS, 'unauthenticated', 'invalid_token', 'invalid_credentials', 'recent_login_required', 'cross_site_request', 'not_found', 'too_busy', 'provider_error', 'provider_unavailable', 'unavailable')
      }
    }
  }, async (request, reply) => {
    csrf.checkLogin(request)
    const { password, ...body } = request.body
    const { id: userId, sessionId } = principal(request)
    const provider = providers.get(body.provider)
    if (provider === undefined) throw new Problem('not_found')
    const redirectTo = redirects.choose(body.redirectTo)
    await linking.permit({ userId, sessionId, password, client: clientInfo(request), signal: abortOnDisconnect(reply) })
    return { url: await begin(request, reply, provider, { redirectTo, purpose: { kind: 'link', userId, sessionId } }) }
  })

  app.delete('/auth/identities/:id', {
    schema: {
      operationId: 'unlinkIdentity',
      tags: ['Providers'],
      summary: 'Unlink one of my identities',
      description: 'But never the last way in: without a password, one identity has to remain.',
      security: AUTHENTICATED,
      params: Params,
      response: { 204: emptyResponse('It is unlinked'), ...problemResponses('unauthenticated', 'invalid_token', 'cross_site_request', 'not_found', 'last_way_in', 'validation_failed', 'unavailable') }
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

function present ({ createdAt, lastUsedAt, ...identity }: LinkedIdentity) {
  return { ...identity, createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt?.toISOString() ?? null }
}
