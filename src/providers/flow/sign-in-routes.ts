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
  redirects: RedirectTargets
  flows: AuthorizationFlows
  begin: StartAuthorization
  comeBack: HandleCallback
  tickets: LinkTickets
  cookies: Cookies
  cookieSameSite: Config['cookieSameSite']
  /** Whether an error means "try again later". */
  isUnavailable (error: unknown): boolean
}

const Params = Type.Object({ provider: Type.String({ examples: ['google'] }) })

export const signInRoutes: FastifyPluginAsyncTypebox<SignInRoutesOptions> = async (app, { providers, redirects, flows, begin, comeBack, tickets, cookies, cookieSameSite, isUnavailable }) => {
  app.get('/auth/providers', {
    schema: {
      operationId: 'listProviders',
      tags: ['Providers'],
      summary: 'The providers that one can sign in with',
      security: PUBLIC,
      querystring: Type.Object({}, { additionalProperties: false }),
      response: {
        200: jsonResponse(Type.Object({
          items: Type.Array(Type.Object({
            id: Type.String({ description: 'As it stands in paths' }),
            name: Type.String({ description: 'For people' })
          }))
        }), { description: 'Those that are configured', example: { items: [{ id: 'google', name: 'Google' }] } }),
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
      summary: 'Go to a provider to sign in',
      description: 'For browsers to navigate to. An app gives a `codeChallenge`, and gets a one-time code at its `redirectTo`.',
      security: PUBLIC,
      params: Params,
      querystring: Type.Object({
        redirectTo: Type.Optional(RedirectTo),
        deliver: Type.Optional(Type.Enum(['cookie', 'session'], { type: 'string', description: 'How the session\'s credentials travel; `cookie` unless said otherwise. Not for apps, who exchange a code.' })),
        codeChallenge: Type.Optional(CodeChallenge),
        codeChallengeMethod: Type.Optional(Type.Enum(['S256'], { type: 'string', description: 'The only one, whether it is named or not' })),
        linking: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: 'Alone, in the address that `POST /auth/identities/link` answers an app with' }))
      }, { additionalProperties: false }),
      response: {
        302: Redirect('To the provider; or back to `redirectTo` with an `error`, where it cannot be reached'),
        ...problemResponses('not_found', 'validation_failed')
      }
    }
  }, async (request, reply) => {
    const provider = found(request.params.provider)
    const { linking, ...query } = request.query
    if (linking !== undefined) return await reply.redirect(await start(request, reply, provider, begunBefore(linking, provider, query)), 302)
    const redirectTo = redirects.choose(query.redirectTo)
    return await reply.redirect(await start(request, reply, provider, { redirectTo, purpose: readFlowPurpose(query, redirectTo) }), 302)
  })

  app.get('/auth/providers/:provider/callback', {
    exposeHeadRoute: false,
    // Whatever comes with it, the browser is sent on.
    attachValidation: true,
    schema: {
      operationId: 'finishSignIn',
      tags: ['Providers'],
      summary: 'Come back from a provider',
      description: 'Where providers send browsers. Opens the session, or links the identity. Whatever fails, the browser is sent on, with an `error`.',
      security: PUBLIC,
      params: Params,
      querystring: Type.Object({
        code: Type.Optional(Type.String()),
        state: Type.Optional(Type.String()),
        iss: Type.Optional(Type.String({ description: 'The issuer (RFC 9207)' })),
        error: Type.Optional(Type.String({ description: 'Why the provider refuses (RFC 6749 §4.1.2.1)' }))
      }),
      response: {
        200: Html('A page that asks whether the app may have the sign-in, where the app is opened by a scheme of its own'),
        302: Redirect('To `redirectTo`: with cookies; with a `code`, for an app; with an `error`, if it failed'),
        ...problemResponses('not_found')
      }
    }
  }, async (request, reply) => {
    const provider = found(request.params.provider)
    const query = queryOf(request)
    const state = query.get('state') ?? ''
    const flow = flows.find(request, state)
    if (flow !== undefined && comesWithoutStrictCookies(request, flow)) return await show(reply, returnPage(`?${query}`))
    const redirectTo = redirects.orFirst(flow?.redirectTo)
    try {
      if (flow === undefined || flow.provider !== provider.id || flow.redirectTo !== redirectTo) throw new Problem('invalid_state')
      flows.forget(reply, state)
      const target = await comeBack(request, reply, { provider, flow, query })
      return await (isCustomScheme(target) ? show(reply, confirmationPage(target)) : reply.redirect(target, 302))
    } catch (error) {
      return await reply.redirect(withError(redirectTo, tell(error, provider, request)), 302)
    }
  })

  async function start (request: FastifyRequest, reply: FastifyReply, provider: Provider, { redirectTo, purpose }: { redirectTo: string, purpose: FlowPurpose | undefined }): Promise<string> {
    try {
      if (purpose === undefined) throw new Problem('invalid_state')
      return await begin(request, reply, provider, { redirectTo, purpose })
    } catch (error) {
      return withError(redirectTo, tell(error, provider, request))
    }
  }

  function begunBefore (ticket: string, { id }: Provider, beside: object): { redirectTo: string, purpose: FlowPurpose | undefined } {
    if (Object.keys(beside).length > 0) throw invalidField('linking', 'stands alone')
    const begun = tickets.read(ticket)
    const isMeant = begun?.provider === id && redirects.orFirst(begun.redirectTo) === begun.redirectTo
    return { redirectTo: redirects.orFirst(begun?.redirectTo), purpose: isMeant ? begun.purpose : undefined }
  }

  function found (id: string): Provider {
    const provider = providers.get(id)
    if (provider === undefined) throw new Problem('not_found')
    return provider
  }

  // Cookies that are SameSite=Strict do not come along from a provider, but do from a page of our own.
  function comesWithoutStrictCookies (request: FastifyRequest, { purpose }: Flow): boolean {
    return cookieSameSite === 'strict' && purpose.kind === 'link' && request.headers['sec-fetch-site'] === 'cross-site' && !cookies.carriesCredential(request)
  }

  /** @returns what the browser is told; the log is told why */
  function tell (error: unknown, { id }: Provider, request: FastifyRequest): ProblemCode {
    const code = error instanceof Problem ? error.code : isUnavailable(error) ? 'unavailable' : 'internal_error'
    const level = code === 'internal_error' || code === 'unavailable' ? 'error' : code.startsWith('provider_') ? 'warn' : 'info'
    const cause = error instanceof Problem ? error.cause : error
    request.log[level]({ provider: id, code, ...cause !== undefined && { err: cause } }, 'signing in with a provider failed')
    return code
  }
}

function show (reply: FastifyReply, { html, headers }: Page): FastifyReply {
  return reply.headers(headers).send(html)
}
