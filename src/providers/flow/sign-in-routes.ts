import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { invalidField, Problem } from '../../errors.ts'
import { jsonResponse, problemResponses, PUBLIC } from '../../http/openapi/openapi-responses.ts'
import type { AttemptLimiter } from '../../limits/attempt-limiter.ts'
import { limitByNetwork } from '../../limits/limit-by-network.ts'
import type { StartAuthorization } from './start-authorization.ts'
import { readFlowPurpose } from './flow-purpose.ts'
import type { FlowPurpose } from './authorization-flows.ts'
import { InvalidState } from './invalid-state.ts'
import type { LinkTickets } from '../identities/link-tickets.ts'
import type { Provider } from '../provider.ts'
import { withFailure, type RedirectTargets } from './redirect-targets.ts'
import { createDescribeOrigin, type FailSignIn } from './sign-in-failure.ts'
import { CodeChallenge, Redirect, RedirectTo } from '../schemas.ts'

export interface SignInRoutesOptions {
  providers: ReadonlyMap<string, Provider>
  redirectTargets: RedirectTargets
  startAuthorization: StartAuthorization
  failSignIn: FailSignIn
  linkTickets: LinkTickets
  limiter: AttemptLimiter
  publicUrl: string
}

const Params = Type.Object({ provider: Type.String({ examples: ['google'] }) })

export const signInRoutes: FastifyPluginAsyncTypebox<SignInRoutesOptions> = async (app, { providers, redirectTargets, startAuthorization, failSignIn, linkTickets, limiter, publicUrl }) => {
  const describeOrigin = createDescribeOrigin(publicUrl)

  app.get('/auth/providers', {
    schema: {
      operationId: 'listProviders',
      tags: ['Providers'],
      summary: 'List the configured providers',
      description: 'The list is empty where none is configured. Then no other route below `/auth/providers` exists.',
      security: PUBLIC,
      querystring: Type.Object({}, { additionalProperties: false }),
      response: {
        200: jsonResponse(Type.Object({
          items: Type.Array(Type.Object({
            id: Type.String({ description: 'The id of the provider, as used in paths' }),
            name: Type.String({ description: 'The display name of the provider' })
          }))
        }), { description: 'The configured providers', example: { items: [{ id: 'google', name: 'Google' }] } }),
        ...problemResponses('validation_failed')
      }
    }
  }, async () => {
    return { items: [...providers.values()].map(({ id, label }) => ({ id, name: label })) }
  })
  // An empty list is an answer, for a sign-in page. The other routes do not exist without a provider.
  if (providers.size === 0) return

  app.get('/auth/providers/:provider', {
    exposeHeadRoute: false,
    preHandler: limitByNetwork(limiter, 'provider'),
    schema: {
      operationId: 'startSignIn',
      tags: ['Providers'],
      summary: 'Start signing in with a provider',
      description: 'Navigate a browser to this URL. A mobile app sends a `codeChallenge`, and gets a one-time code at its `redirectTo`.',
      security: PUBLIC,
      params: Params,
      querystring: Type.Object({
        redirectTo: Type.Optional(RedirectTo),
        deliver: Type.Optional(Type.Enum(['cookie', 'session'], { type: 'string', description: 'How the credentials of the session are delivered. The default is `cookie`. Not for mobile apps, which exchange a code.' })),
        codeChallenge: Type.Optional(CodeChallenge),
        codeChallengeMethod: Type.Optional(Type.Enum(['S256'], { type: 'string', description: 'The PKCE method. `S256` is the only one, and the default.' })),
        linking: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: 'Part of the URL that `POST /auth/identities/link` returns to a mobile app. It cannot be combined with other parameters.' }))
      }, { additionalProperties: false }),
      response: {
        302: Redirect('Redirects to the provider, or to `redirectTo` with an `error` if the provider is unavailable'),
        ...problemResponses('not_found', 'validation_failed', 'too_many_requests')
      }
    }
  }, async (request, reply) => {
    const provider = findProvider(request.params.provider)
    const { linking, ...query } = request.query
    if (linking !== undefined) return await reply.redirect(await start(request, reply, provider, readLinkTicket(linking, provider, query)), 302)
    const redirectTo = redirectTargets.choose(query.redirectTo)
    return await reply.redirect(await start(request, reply, provider, { redirectTo, purpose: readFlowPurpose(query, redirectTo) }), 302)
  })

  async function start (request: FastifyRequest, reply: FastifyReply, provider: Provider, { redirectTo, purpose }: { redirectTo: string, purpose: FlowPurpose | undefined }): Promise<string> {
    const elsewhere = describeOrigin(request)
    if (elsewhere !== undefined) request.log.info({ provider: provider.id, ...elsewhere }, 'sign-in begun at another origin than PUBLIC_URL: its callback will not have the cookie')
    try {
      if (purpose === undefined) throw new InvalidState('link ticket')
      return await startAuthorization(request, reply, provider, { redirectTo, purpose })
    } catch (error) {
      return withFailure(redirectTo, { code: failSignIn(error, provider, request), requestId: request.id })
    }
  }

  function readLinkTicket (ticket: string, { id }: Provider, otherParameters: object): { redirectTo: string, purpose: FlowPurpose | undefined } {
    if (Object.keys(otherParameters).length > 0) throw invalidField('linking', 'cannot be combined with other parameters')
    const link = linkTickets.read(ticket)
    const redirectTo = redirectTargets.allowedOrFirst(link?.redirectTo)
    return { redirectTo, purpose: link?.provider === id && link.redirectTo === redirectTo ? link.purpose : undefined }
  }

  function findProvider (id: string): Provider {
    const provider = providers.get(id)
    if (provider === undefined) throw new Problem('not_found')
    return provider
  }
}
