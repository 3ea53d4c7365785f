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
import type { ProviderResult, Provider } from '../provider.ts'
import { withCode } from './redirect-targets.ts'
import type { PresentIdentity, ResolveAccount } from '../identities/resolve-account.ts'

/** A browser at the callback, with the flow that it began. */
export interface CallbackContext {
  provider: Provider
  flow: Flow
  /** As it was sent. */
  query: URLSearchParams
}

/** Finishes a flow. @returns where the browser goes. @throws Problem */
export type HandleCallback = (request: FastifyRequest, reply: FastifyReply, landing: CallbackContext) => Promise<string>

export interface HandleCallbackDeps {
  oneTime: Pick<OneTimeTokenStore, 'markUsed'>
  presence: Pick<Presence, 'find'>
  present: PresentIdentity
  signIn: ResolveAccount
  enter: OpenIdentitySession
  deliver: SendLogin
  codes: Pick<MobileCodes, 'issue'>
  linkCodes: Pick<LinkCodes, 'issue'>
  linkIdentity: LinkIdentity
  audit: AuditStore
}

// What somebody may have meant by it: a link that fails at the provider tells nothing.
const WORTH_REMEMBERING: readonly ProblemCode[] = ['different_session', 'identity_taken']

export function createHandleCallback ({ oneTime, presence, present, signIn, enter, deliver, codes, linkCodes, linkIdentity, audit }: HandleCallbackDeps): HandleCallback {
  return async function comeBack (request, reply, landing) {
    const { flow: { purpose } } = landing
    if (purpose.kind !== 'link') return await finish(request, reply, landing, await redeem(landing))
    try {
      // By its own credential, and not by an access token: else a thief's identity would be linked to whom they took one from.
      if (await presence.find(request, purpose) === undefined) throw new Problem('different_session')
      return await finish(request, reply, landing, await redeem(landing))
    } catch (error) {
      if (error instanceof Problem && WORTH_REMEMBERING.includes(error.code)) await remember(request, landing, purpose, error)
      throw error
    }
  }

  // Burned before the code is redeemed: of a callback that comes twice, one goes on.
  async function redeem ({ provider, flow, query }: CallbackContext): Promise<ProviderResult> {
    if (!await oneTime.markUsed('sign_in_flow', flow.state, FLOW_LIFE)) throw new Problem('invalid_state')
    // However many browsers an app's address was opened in.
    if (flow.purpose.kind === 'app_link' && !await oneTime.markUsed('link_begun', flow.purpose.id, 2 * FLOW_LIFE)) throw new Problem('invalid_state')
    return await provider.redeem(query, flow)
  }

  async function finish (request: FastifyRequest, reply: FastifyReply, { provider, flow: { purpose, redirectTo } }: CallbackContext, arrival: ProviderResult): Promise<string> {
    const client = clientInfo(request)
    switch (purpose.kind) {
      case 'sign_in':
        deliver(reply, await enter(await signIn(provider, arrival, client), purpose.deliver, client))
        return redirectTo
      case 'app':
        return withCode(redirectTo, await codes.issue(await signIn(provider, arrival, client), { codeChallenge: purpose.codeChallenge, redirectTo }))
      case 'link':
        await linkIdentity(present(provider, arrival), purpose, client)
        return redirectTo
      case 'app_link':
        return withCode(redirectTo, await linkCodes.issue(present(provider, arrival), purpose, { codeChallenge: purpose.codeChallenge, redirectTo }))
    }
  }

  function remember (request: FastifyRequest, { provider }: CallbackContext, { userId, sessionId }: { userId: string, sessionId: string }, { code }: Problem): Promise<void> {
    return audit.record({ action: 'identity_link', outcome: 'failure', actorId: userId, subjectId: userId, sessionId, detail: { provider: provider.id, code }, ...clientInfo(request) })
  }
}
