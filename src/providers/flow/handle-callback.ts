import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AuditStore } from '../../audit/store.ts'
import { Problem, type ProblemCode } from '../../errors.ts'
import { clientInfo } from '../../http/client-info.ts'
import type { OneTimeTokenStore } from '../../one-time-tokens/store.ts'
import type { SendLogin } from '../../sessions/login-response.ts'
import type { Presence } from '../../sessions/presence.ts'
import type { MobileCodes } from './mobile-codes.ts'
import type { OpenIdentitySession } from '../identities/open-identity-session.ts'
import { FLOW_LIFE, type Flow } from './authorization-flows.ts'
import type { LinkCodes } from '../identities/link-codes.ts'
import type { LinkIdentity } from '../identities/link-identity.ts'
import type { LinkingSession } from '../identities/identity-store.ts'
import type { ProviderResult, Provider } from '../provider.ts'
import { withCode } from './redirect-targets.ts'
import type { PresentIdentity, ResolveAccount } from '../identities/resolve-account.ts'

/** A callback, and the flow that the browser started. */
export interface CallbackContext {
  provider: Provider
  flow: Flow
  /** Exactly as it was sent. */
  query: URLSearchParams
}

export interface HandleCallbackDeps {
  oneTimeTokens: Pick<OneTimeTokenStore, 'markUsed'>
  presence: Pick<Presence, 'find'>
  presentIdentity: PresentIdentity
  resolveAccount: ResolveAccount
  openIdentitySession: OpenIdentitySession
  sendLogin: SendLogin
  mobileCodes: Pick<MobileCodes, 'issue'>
  linkCodes: Pick<LinkCodes, 'issue'>
  linkIdentity: LinkIdentity
  audit: AuditStore
}

export type HandleCallback = ReturnType<typeof createHandleCallback>

// Failures that may be an attack. A failure at the provider is not recorded.
const AUDITED: readonly ProblemCode[] = ['different_session', 'identity_taken']

export function createHandleCallback ({ oneTimeTokens, presence, presentIdentity, resolveAccount, openIdentitySession, sendLogin, mobileCodes, linkCodes, linkIdentity, audit }: HandleCallbackDeps) {
  // The flow is marked as used before the code is redeemed: of two identical callbacks, only one continues.
  async function redeem ({ provider, flow, query }: CallbackContext): Promise<ProviderResult> {
    if (!await oneTimeTokens.markUsed('sign_in_flow', flow.state, FLOW_LIFE)) throw new Problem('invalid_state')
    // An app's URL may have been opened in several browsers, each with a flow of its own.
    if (flow.purpose.kind === 'app_link' && !await oneTimeTokens.markUsed('link_begun', flow.purpose.id, 2 * FLOW_LIFE)) throw new Problem('invalid_state')
    return await provider.redeem(query, flow)
  }

  async function finish (request: FastifyRequest, reply: FastifyReply, { provider, flow: { purpose, redirectTo } }: CallbackContext, result: ProviderResult): Promise<string> {
    const client = clientInfo(request)
    switch (purpose.kind) {
      case 'sign_in':
        sendLogin(reply, await openIdentitySession(await resolveAccount(provider, result, client), purpose.deliver, client))
        return redirectTo
      case 'app':
        return withCode(redirectTo, await mobileCodes.issue(await resolveAccount(provider, result, client), { codeChallenge: purpose.codeChallenge, redirectTo }))
      case 'link':
        await linkIdentity(presentIdentity(provider, result), purpose, client)
        return redirectTo
      case 'app_link':
        return withCode(redirectTo, await linkCodes.issue(presentIdentity(provider, result), purpose, { codeChallenge: purpose.codeChallenge, redirectTo }))
    }
  }

  function recordFailure (request: FastifyRequest, { provider }: CallbackContext, { userId, sessionId }: LinkingSession, { code }: Problem): Promise<void> {
    return audit.record({ action: 'identity_link', outcome: 'failure', actorId: userId, subjectId: userId, sessionId, detail: { provider: provider.id, code }, ...clientInfo(request) })
  }

  /** Finishes a flow. @returns where to redirect the browser. @throws Problem */
  return async function handleCallback (request: FastifyRequest, reply: FastifyReply, context: CallbackContext): Promise<string> {
    const { flow: { purpose } } = context
    if (purpose.kind !== 'link') return await finish(request, reply, context, await redeem(context))
    try {
      // By the session's own credential, not by an access token: with a stolen one, a thief could link an identity of theirs.
      if (await presence.find(request, purpose) === undefined) throw new Problem('different_session')
      return await finish(request, reply, context, await redeem(context))
    } catch (error) {
      if (error instanceof Problem && AUDITED.includes(error.code)) await recordFailure(request, context, purpose, error)
      throw error
    }
  }
}
