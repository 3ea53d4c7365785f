import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { invalidField, Problem } from '../../errors.ts'
import { jsonResponse, AUTHENTICATED, BODY_PROBLEMS, emptyResponse, problemResponses } from '../../http/openapi/openapi-responses.ts'
import type { Guards } from '../../http/guards.ts'
import { clientInfo } from '../../http/client-info.ts'
import type { CsrfProtection } from '../../http/csrf.ts'
import { NEEDS_PRESENCE, PresenceToken } from '../../sessions/schemas.ts'
import type { Presence } from '../../sessions/presence.ts'
import type { StartAuthorization } from '../flow/start-authorization.ts'
import type { AttemptLimiter } from '../../limits/attempt-limiter.ts'
import { limitByNetwork } from '../../limits/limit-by-network.ts'
import type { LinkCodes } from './link-codes.ts'
import type { LinkTickets } from './link-tickets.ts'
import type { RecordLinkFailure } from './link-failure-audit.ts'
import type { LinkIdentity } from './link-identity.ts'
import type { Provider } from '../provider.ts'
import type { RedirectTargets } from '../flow/redirect-targets.ts'
import { CodeChallenge, CodeVerifier, EXAMPLE_EXCHANGE, OneTimeCode, RedirectTo } from '../schemas.ts'

export interface LinkRoutesOptions {
  providers: ReadonlyMap<string, Provider>
  redirectTargets: RedirectTargets
  startAuthorization: StartAuthorization
  /** @returns the URL at which a mobile app continues in the system's browser */
  linkUrl: (provider: string, ticket: string) => string
  linkTickets: LinkTickets
  linkCodes: LinkCodes
  linkIdentity: LinkIdentity
  limiter: AttemptLimiter
  presence: Presence
  guards: Guards
  principal: (request: FastifyRequest) => Principal
  csrf: CsrfProtection
  recordLinkFailure: RecordLinkFailure
}

const PROVIDER_URL = 'https://accounts.google.com/o/oauth2/v2/auth?client_id=countersign&response_type=code'

export const linkRoutes: FastifyPluginAsyncTypebox<LinkRoutesOptions> = async (app, { providers, redirectTargets, startAuthorization, linkUrl, linkTickets, linkCodes, linkIdentity, limiter, presence, guards, principal, csrf, recordLinkFailure }) => {
  if (providers.size === 0) return
  app.addHook('onRequest', guards.authenticate)
  const preHandler = limitByNetwork(limiter, 'provider')

  app.post('/auth/identities/link', {
    preHandler,
    schema: {
      operationId: 'linkIdentity',
      tags: ['Providers'],
      summary: 'Start linking an identity to my account',
      description: `Returns the URL to navigate to. The callback must carry the credential of the same session in a cookie. A mobile app sends a \`codeChallenge\`, opens the URL in the system's browser within a minute, and gets a one-time code at its \`redirectTo\`. ${NEEDS_PRESENCE}`,
      security: AUTHENTICATED,
      body: Type.Object({
        provider: Type.String({ examples: ['google'] }),
        redirectTo: Type.Optional(RedirectTo),
        codeChallenge: Type.Optional(CodeChallenge),
        refreshToken: PresenceToken
      }, { additionalProperties: false, examples: [{ provider: 'google', redirectTo: 'https://app.example.com/welcome' }] }),
      response: {
        200: jsonResponse(Type.Object({ url: Type.String({ format: 'uri' }) }), { description: 'The URL to navigate to', example: { url: PROVIDER_URL } }),
        ...problemResponses(...BODY_PROBLEMS, 'unauthenticated', 'invalid_token', 'insufficient_user_authentication', 'cross_site_request', 'not_found', 'too_many_requests', 'provider_error', 'provider_unavailable', 'unavailable')
      }
    }
  }, async (request, reply) => {
    csrf.checkLogin(request)
    const { codeChallenge, ...body } = request.body
    const provider = providers.get(body.provider)
    if (provider === undefined) throw new Problem('not_found')
    const redirectTo = redirectTargets.choose(body.redirectTo)
    const { userId, sessionId, credential } = await presence.assert(request)
    const session = { userId, sessionId }
    if (codeChallenge !== undefined) return { url: linkUrl(provider.id, linkTickets.write({ provider: provider.id, redirectTo, session, codeChallenge })) }
    // The callback could not carry a credential that is not in a cookie.
    if (credential.channel === 'body') throw invalidField('codeChallenge', 'is required when the session is not in cookies')
    return { url: await startAuthorization(request, reply, provider, { redirectTo, purpose: { kind: 'link', ...session } }) }
  })

  app.post('/auth/identities/link/exchange', {
    preHandler,
    schema: {
      operationId: 'exchangeLinkCode',
      tags: ['Providers'],
      summary: 'Exchange a one-time code for a link to my account',
      description: 'For a mobile app that started linking with a `codeChallenge`. The code can be exchanged once, within a minute, with the verifier of that challenge and the credential of the session that started.',
      security: AUTHENTICATED,
      body: Type.Object({ code: OneTimeCode, codeVerifier: CodeVerifier, refreshToken: PresenceToken }, { additionalProperties: false, examples: [EXAMPLE_EXCHANGE] }),
      response: {
        204: emptyResponse('The identity is linked'),
        ...problemResponses(...BODY_PROBLEMS, 'unauthenticated', 'invalid_token', 'invalid_code', 'different_session', 'cross_site_request', 'identity_taken', 'too_many_requests', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { code, codeVerifier } = request.body
    const { id: userId, sessionId } = principal(request)
    const session = { userId, sessionId }
    let provider: string | undefined
    try {
      if (await presence.find(request, session) === undefined) throw new Problem('different_session')
      const identity = await linkCodes.redeem(code, session, codeVerifier)
      if (identity === undefined) throw new Problem('invalid_code')
      provider = identity.provider
      await linkIdentity(identity, session, clientInfo(request))
    } catch (error) {
      recordLinkFailure(error, session, provider, clientInfo(request))
      throw error
    }
    return reply.code(204).send(null)
  })
}
