import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config.ts'
import { Problem, type ProblemCode } from '../../errors.ts'
import type { Cookies } from '../../http/cookies.ts'
import { problemResponses, PUBLIC } from '../../http/openapi/openapi-responses.ts'
import type { AttemptLimiter } from '../../limits/attempt-limiter.ts'
import { limitByNetwork } from '../../limits/limit-by-network.ts'
import type { SendLogin } from '../../sessions/login-response.ts'
import type { Presence } from '../../sessions/presence.ts'
import type { Provider } from '../provider.ts'
import { Html, Redirect } from '../schemas.ts'
import { CLOCK_DIFFERENCE, FLOW_LIFE, readState, type AuthorizationFlows, type Flow } from './authorization-flows.ts'
import type { FlowAnswer, FlowAnswersStore } from './flow-answers-store.ts'
import { queryOf } from './flow-purpose.ts'
import type { CallbackAnswer, HandleCallback } from './handle-callback.ts'
import { confirmationPage, returnPage, sendPage } from './interstitial-pages.ts'
import { InvalidState } from './invalid-state.ts'
import { isCustomScheme, withFailure, type RedirectTargets } from './redirect-targets.ts'
import type { FailSignIn } from './sign-in-failure.ts'
import { createUndeliveredAnswers } from './undelivered-answers.ts'

export interface CallbackRouteOptions {
  providers: ReadonlyMap<string, Provider>
  redirectTargets: RedirectTargets
  flows: AuthorizationFlows
  flowAnswers: FlowAnswersStore
  handleCallback: HandleCallback
  failSignIn: FailSignIn
  presence: Pick<Presence, 'ownerOf'>
  sendLogin: SendLogin
  limiter: AttemptLimiter
  cookies: Cookies
  cookieSameSite: Config['cookieSameSite']
}

export const callbackRoute: FastifyPluginAsyncTypebox<CallbackRouteOptions> = async (app, { providers, redirectTargets, flows, flowAnswers, handleCallback, failSignIn, presence, sendLogin, limiter, cookies, cookieSameSite }) => {
  if (providers.size === 0) return
  const undelivered = createUndeliveredAnswers<CallbackAnswer>()

  app.get('/auth/providers/:provider/callback', {
    exposeHeadRoute: false,
    // Refused before the flow is used: the same callback succeeds later.
    preHandler: limitByNetwork(limiter, 'provider'),
    // An invalid query does not end in an error page either: the browser is redirected to the app.
    attachValidation: true,
    schema: {
      operationId: 'finishSignIn',
      tags: ['Providers'],
      summary: 'Finish signing in with a provider',
      description: 'The callback (redirect URI) that is registered at the provider. Opens the session, or links the identity. If anything fails, the browser is redirected with an `error`, and the `request_id` by which the log has the cause. Where it is loaded again, it goes where it went the first time.',
      security: PUBLIC,
      params: Type.Object({ provider: Type.String({ examples: ['google'] }) }),
      querystring: Type.Object({
        code: Type.Optional(Type.String()),
        state: Type.Optional(Type.String()),
        iss: Type.Optional(Type.String({ description: 'The issuer (RFC 9207)' })),
        error: Type.Optional(Type.String({ description: 'The error code of the provider (RFC 6749 §4.1.2.1)' }))
      }),
      response: {
        200: Html('A page that asks the user to continue in the app, if `redirectTo` has a custom scheme; or one that goes on to `redirectTo` by itself, if `COOKIE_SAMESITE` is `strict`'),
        302: Redirect('Redirects to `redirectTo`: with cookies, with a `code` for a mobile app, or with an `error`'),
        ...problemResponses('not_found', 'too_many_requests')
      }
    }
  }, async (request, reply) => {
    const provider = providers.get(request.params.provider)
    if (provider === undefined) throw new Problem('not_found')
    const query = queryOf(request)
    const state = query.get('state') ?? ''
    const found = flows.find(request, state)
    const flow = typeof found === 'string' ? undefined : found
    if (flow !== undefined && lacksStrictCookies(request, flow)) return await sendPage(reply, returnPage(`?${query}`))
    const redirectTo = redirectTargets.allowedOrFirst(flow?.redirectTo)
    let isUsed = false
    try {
      if (typeof found === 'string') throw new InvalidState(found)
      if (found.provider !== provider.id) throw new InvalidState('another provider')
      if (found.redirectTo !== redirectTo) throw new InvalidState('redirect target not allowed any more')
      const answer = await undelivered.run(state, reply, async () => {
        const answer = await handleCallback(request, reply, { provider, flow: found, query, onUsed: () => { isUsed = true } })
        if (answer.userId !== null) await remember(request, state, { redirectTo, failure: null, userId: answer.userId })
        return answer
      })
      flows.clear(reply, state)
      if (answer.login !== undefined) sendLogin(reply, answer.login)
      return await (isCustomScheme(answer.redirectTo) ? sendPage(reply, confirmationPage(answer.redirectTo)) : land(request, reply, answer.redirectTo, flow))
    } catch (error) {
      const earlier = error instanceof InvalidState ? await findEarlierAnswer(request, state, error) : undefined
      if (earlier !== undefined) return await land(request, reply, earlier, flow)
      // Perhaps this browser is signed in by it: a page of our own asks again, and has the cookies.
      if (error instanceof InvalidState && lacksAllCookies(request)) return await sendPage(reply, returnPage(`?${query}`))
      const failure = { code: failSignIn(error, provider, request), requestId: request.id }
      // What has not begun can be tried again by loading the page again.
      if (isUsed || isOver(error, failure.code)) flows.clear(reply, state)
      if (isUsed && flow !== undefined && isInBrowser(flow)) await remember(request, state, { redirectTo, failure, userId: null })
      return await land(request, reply, withFailure(redirectTo, failure), flow)
    }
  })

  async function remember ({ log }: FastifyRequest, state: string, answer: FlowAnswer): Promise<void> {
    // It serves a reload only.
    await flowAnswers.record(state, answer, FLOW_LIFE + CLOCK_DIFFERENCE).catch((error: unknown) => log.warn({ err: error }, 'could not remember where a sign-in went'))
  }

  /**
   * @returns where a callback goes that was answered before: for whoever is signed in by it, and for everybody where it failed.
   * A tab whose flow was given up for five later ones goes on without an error if this browser is signed in by now.
   */
  async function findEarlierAnswer (request: FastifyRequest, state: string, { reason }: InvalidState): Promise<string | undefined> {
    const said = readState(state)
    if (said === undefined) return undefined
    try {
      const answer = await flowAnswers.find(state)
      if (answer?.failure) return withFailure(redirectTargets.allowedOrFirst(answer.redirectTo), answer.failure)
      const owner = await presence.ownerOf(request)
      if (answer !== undefined) return owner === answer.userId ? redirectTargets.allowedOrFirst(answer.redirectTo) : undefined
      return reason === 'no cookie' && said.isSignIn && owner !== undefined ? redirectTargets.allowedOrFirst() : undefined
    } catch (error) {
      request.log.warn({ err: error }, 'could not find where a sign-in went')
      return undefined
    }
  }

  // A navigation that a provider's page began carries no SameSite=Strict cookies, however often it is redirected or loaded
  // again; one from a page of our own does.
  async function land (request: FastifyRequest, reply: FastifyReply, target: string, flow: Flow | undefined): Promise<FastifyReply> {
    const needsPage = cookieSameSite === 'strict' && (flow === undefined || isInBrowser(flow)) && !isCustomScheme(target) && request.headers['sec-fetch-site'] !== 'same-origin'
    return needsPage ? sendPage(reply, returnPage(target)) : reply.redirect(target, 302)
  }

  function lacksStrictCookies (request: FastifyRequest, { purpose }: Flow): boolean {
    return purpose.kind === 'link' && lacksAllCookies(request)
  }

  function lacksAllCookies (request: FastifyRequest): boolean {
    return cookieSameSite === 'strict' && request.headers['sec-fetch-site'] === 'cross-site' && !cookies.carriesCredential(request)
  }
}

function isInBrowser ({ purpose: { kind } }: Flow): boolean {
  return kind === 'sign_in' || kind === 'link'
}

function isOver (error: unknown, code: ProblemCode): boolean {
  if (error instanceof InvalidState) return error.reason === 'used'
  return code !== 'too_busy' && code !== 'unavailable' && code !== 'client_gone'
}
