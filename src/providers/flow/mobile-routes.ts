import { createHash } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { AuditStore } from '../../audit/store.ts'
import { Problem, type ProblemCode } from '../../errors.ts'
import { BODY_PROBLEMS, problemResponses, PUBLIC } from '../../http/openapi/openapi-responses.ts'
import { clientInfo, type ClientInfo } from '../../http/client-info.ts'
import type { CsrfProtection } from '../../http/csrf.ts'
import type { AttemptLimiter } from '../../limits/attempt-limiter.ts'
import { limitByNetwork } from '../../limits/limit-by-network.ts'
import type { OneTimeTokenStore } from '../../one-time-tokens/store.ts'
import type { SendLogin } from '../../sessions/login-response.ts'
import { Deliver, loginResponse } from '../../sessions/schemas.ts'
import type { MobileCodes } from './mobile-codes.ts'
import type { OpenIdentitySession } from '../identities/open-identity-session.ts'
import type { Provider } from '../provider.ts'
import { CodeVerifier, EXAMPLE_EXCHANGE, OneTimeCode } from '../schemas.ts'
import type { ResolveAccount } from '../identities/resolve-account.ts'

export interface MobileRoutesOptions {
  providers: ReadonlyMap<string, Provider>
  oneTimeTokens: Pick<OneTimeTokenStore, 'markUsed'>
  mobileCodes: Pick<MobileCodes, 'redeem'>
  resolveAccount: ResolveAccount
  openIdentitySession: OpenIdentitySession
  limiter: AttemptLimiter
  sendLogin: SendLogin
  csrf: CsrfProtection
  audit: AuditStore
}

// Seconds that clocks may differ by: a used token is remembered for as long as it could still be accepted.
const CLOCK_TOLERANCE = 60

const ID_TOKEN = 'eyJhbGciOiJSUzI1NiIsImtpZCI6…'
const NONCE = 'WkYtN3h1c0hUVjM0b1lxTg'

export const mobileRoutes: FastifyPluginAsyncTypebox<MobileRoutesOptions> = async (app, { providers, oneTimeTokens, mobileCodes, resolveAccount, openIdentitySession, limiter, sendLogin, csrf, audit }) => {
  if (providers.size === 0) return

  const preHandler = limitByNetwork(limiter, 'provider')

  app.post('/auth/providers/exchange', {
    preHandler,
    schema: {
      operationId: 'exchangeCode',
      tags: ['Providers'],
      summary: 'Exchange a one-time code for tokens',
      description: 'For a mobile app that started the flow with a `codeChallenge`. The code can be exchanged once, within a minute, with the verifier of that challenge.',
      security: PUBLIC,
      body: Type.Object({ code: OneTimeCode, codeVerifier: CodeVerifier }, { additionalProperties: false, examples: [EXAMPLE_EXCHANGE] }),
      response: {
        200: loginResponse('The session is open'),
        ...problemResponses(...BODY_PROBLEMS, 'invalid_code', 'account_disabled', 'too_many_requests', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { code, codeVerifier } = request.body
    const client = clientInfo(request)
    const link = await mobileCodes.redeem(code, codeVerifier)
    // Nothing is recorded: of a code that was never issued there is nothing to tell.
    if (link === undefined) throw new Problem('invalid_code')
    return sendLogin(reply, await openIdentitySession(link, 'body', client) ?? refuse('account_disabled', client, { subjectId: link.userId }))
  })

  if (![...providers.values()].some(({ readIdToken }) => readIdToken !== undefined)) return

  app.post('/auth/providers/:provider/token', {
    preHandler,
    schema: {
      operationId: 'signInWithIdToken',
      tags: ['Providers'],
      summary: 'Sign in with an ID token of a provider\'s SDK',
      description: 'The audience of the token must be one of the configured native client ids, and its `nonce` must be base64url(SHA-256(nonce)) of the nonce in this request. Each token is accepted once.',
      security: PUBLIC,
      params: Type.Object({ provider: Type.String({ examples: ['google'] }) }),
      body: Type.Object({
        idToken: Type.String({ minLength: 1, maxLength: 8192, examples: [ID_TOKEN] }),
        nonce: Type.String({ minLength: 1, maxLength: 256, description: 'The random nonce of which the app gave the SDK the hash', examples: [NONCE] }),
        deliver: Type.Optional(Deliver)
      }, { additionalProperties: false, examples: [{ idToken: ID_TOKEN, nonce: NONCE }] }),
      response: {
        200: loginResponse('The session is open'),
        ...problemResponses(...BODY_PROBLEMS, 'invalid_id_token', 'account_disabled', 'account_deletion_scheduled', 'cross_site_request', 'not_found', 'account_exists', 'email_required', 'too_many_requests', 'provider_error', 'provider_unavailable', 'unavailable')
      }
    }
  }, async (request, reply) => {
    const { idToken, nonce, deliver = 'body' } = request.body
    const provider = providers.get(request.params.provider)
    if (provider?.readIdToken === undefined) throw new Problem('not_found')
    if (deliver !== 'body') csrf.checkLogin(request)
    const { profile, rememberFor } = await provider.readIdToken(idToken, createHash('sha256').update(nonce).digest('base64url'))
    const client = clientInfo(request)
    if (!await isFirstUse(idToken, rememberFor)) return refuse('invalid_id_token', client, { provider: provider.id })
    return sendLogin(reply, await resolveAccount(provider, { profile }, client, link => openIdentitySession(link, deliver, client)))
  })

  // Without the signature, which can be encoded in several ways.
  async function isFirstUse (idToken: string, rememberFor: number): Promise<boolean> {
    const signingInput = idToken.slice(0, idToken.lastIndexOf('.'))
    return await oneTimeTokens.markUsed('id_token', signingInput, Math.max(0, rememberFor) + CLOCK_TOLERANCE)
  }

  function refuse (code: ProblemCode, client: ClientInfo, { subjectId, ...detail }: { subjectId?: string, provider?: string }): never {
    audit.recordRepeatable({ action: 'login', outcome: 'failure', subjectId, detail: { ...detail, code }, ...client })
    throw new Problem(code)
  }
}
