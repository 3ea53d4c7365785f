import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config.ts'
import { invalidField, Problem, type ProblemCode } from '../../errors.ts'
import { jsonResponse, problemResponses, PUBLIC } from '../../http/openapi/openapi-responses.ts'
import type { Cookies } from '../../http/cookies.ts'
import type { StartAuthorization } from './start-authorization.ts'
import type { HandleCallback } from './handle-callback.ts'
import { confirmationPage, returnPage, type Page } from './interstitial-pages.ts'
import { readFlowPurpose, queryOf } from './flow-purpose.ts'
import type { FlowPurpose, Flow, AuthorizationFlows } from './authorization-flows.ts'
import type { LinkTickets } from '../identities/link-tickets.ts'
import type { Provider } from '../provider.ts'
import { isCustomScheme, withError, type RedirectTargets } from './redirect-targets.ts'
import { CodeChallenge, Html, Redirect, RedirectTo } from '../schemas.ts'

export interface SignInRoutesOptions {
  providers: ReadonlyMap<string, Provider>
  redirectTargets: RedirectTargets
  flows: AuthorizationFlows
  startAuthorization: StartAuthorization
  handleCallback: HandleCallback
  linkTickets: LinkTickets
  cookies: Cookies
  cookieSameSite: Config['cookieSameSite']
  /** Whether an error means "try again later". */
  isUnavailable (error: unknown): boolean
}

const Params = Type.Object({ provider: Type.String({ examples: ['google'] }) })

export const signInRoutes: FastifyPluginAsyncTypebox<SignInRoutesOptions> = async (app, { providers, redirectTargets, flows, startAuthorization, handleCallback, linkTickets, cookies, cookieSameSite, isUnavailable }) => {
  app.get('/auth/providers', {
    schema: {
      operationId: 'listProviders',
      tags: ['Providers'],
      summary: 'List the configured providers',
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

  app.get('/auth/providers/:provider', {
    exposeHeadRoute: false,
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
        ...problemResponses('not_found', 'validation_failed')
      }
    }
  }, async (request, reply) => {
    const provider = findProvider(request.params.provider)
    const { linking, ...query } = request.query
    if (linking !== undefined) return await reply.redirect(await start(request, reply, provider, readLinkTicket(linking, provider, query)), 302)
    const redirectTo = redirectTargets.choose(query.redirectTo)
    return await reply.redirect(await start(request, reply, provider, { redirectTo, purpose: readFlowPurpose(query, redirectTo) }), 302)
  })

  app.get('/auth/providers/:provider/callback', {
    exposeHeadRoute: false,
    // An invalid query does not end in an error page either: the browser is redirected to the app.
    attachValidation: true,
    schema: {
      operationId: 'finishSignIn',
      tags: ['Providers'],
      summary: 'Finish signing in with a provider',
      description: 'The callback (redirect URI) that is registered at the provider. Opens the session, or links the identity. If anything fails, the browser is redirected with an `error`.',
      security: PUBLIC,
      params: Params,
      querystring: Type.Object({
        code: Type.Optional(Type.String()),
        state: Type.Optional(Type.String()),
        iss: Type.Optional(Type.String({ description: 'The issuer (RFC 9207)' })),
        error: Type.Optional(Type.String({ description: 'The error code of the provider (RFC 6749 §4.1.2.1)' }))
      }),
      response: {
        200: Html('A page that asks the user to continue in the app, if `redirectTo` has a custom scheme'),
        302: Redirect('Redirects to `redirectTo`: with cookies, with a `code` for a mobile app, or with an `error`'),
        ...problemResponses('not_found')
      }
    }
  }, async (request, reply) => {
    const provider = findProvider(request.params.provider)
    const query = queryOf(request)
    const state = query.get('state') ?? ''
    const flow = flows.find(request, state)
    if (flow !== undefined && lacksStrictCookies(request, flow)) return await sendPage(reply, returnPage(`?${query}`))
    const redirectTo = redirectTargets.allowedOrFirst(flow?.redirectTo)
    try {
      if (flow === undefined || flow.provider !== provider.id || flow.redirectTo !== redirectTo) throw new Problem('invalid_state')
      flows.clear(reply, state)
      const target = await handleCallback(request, reply, { provider, flow, query })
      return await (isCustomScheme(target) ? sendPage(reply, confirmationPage(target)) : reply.redirect(target, 302))
    } catch (error) {
      return await reply.redirect(withError(redirectTo, logFailure(error, provider, request)), 302)
    }
  })

  async function start (request: FastifyRequest, reply: FastifyReply, provider: Provider, { redirectTo, purpose }: { redirectTo: string, purpose: FlowPurpose | undefined }): Promise<string> {
    try {
      if (purpose === undefined) throw new Problem('invalid_state')
      return await startAuthorization(request, reply, provider, { redirectTo, purpose })
    } catch (error) {
      return withError(redirectTo, logFailure(error, provider, request))
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

  // A redirect from the provider does not carry SameSite=Strict cookies; a navigation from a page of our own does.
  function lacksStrictCookies (request: FastifyRequest, { purpose }: Flow): boolean {
    return cookieSameSite === 'strict' && purpose.kind === 'link' && request.headers['sec-fetch-site'] === 'cross-site' && !cookies.carriesCredential(request)
  }

  /** Logs a failure with its cause. @returns the code for the browser, which does not get the cause */
  function logFailure (error: unknown, { id }: Provider, request: FastifyRequest): ProblemCode {
    const code = error instanceof Problem ? error.code : isUnavailable(error) ? 'unavailable' : 'internal_error'
    const level = code === 'internal_error' || code === 'unavailable' ? 'error' : code.startsWith('provider_') ? 'warn' : 'info'
    const cause = error instanceof Problem ? error.cause : error
    request.log[level]({ provider: id, code, ...cause !== undefined && { err: cause } }, 'provider sign-in failed')
    return code
  }
}

function sendPage (reply: FastifyReply, { html, headers }: Page): FastifyReply {
  return reply.headers(headers).send(html)
}
