import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../errors.ts'
import { abortOnDisconnect } from '../../http/abort-on-disconnect.ts'
import { clientAddress, networkOf } from '../../http/client-address.ts'
import { clientInfo } from '../../http/client-info.ts'
import type { OneTimeTokenStore } from '../../one-time-tokens/store.ts'
import type { FindKnownDevices } from '../../sessions/known-device.ts'
import type { Login } from '../../sessions/open-session.ts'
import type { Presence } from '../../sessions/presence.ts'
import type { Bulkhead } from '../bulkhead.ts'
import type { MobileCodes } from './mobile-codes.ts'
import type { OpenIdentitySession } from '../identities/open-identity-session.ts'
import { CLOCK_DIFFERENCE, FLOW_LIFE, type Flow, type FlowPurpose } from './authorization-flows.ts'
import { InvalidState } from './invalid-state.ts'
import type { LinkCodes } from '../identities/link-codes.ts'
import type { RecordLinkFailure } from '../identities/link-failure-audit.ts'
import type { LinkIdentity } from '../identities/link-identity.ts'
import type { AccountLink, PresentedIdentity } from '../identities/identity-store.ts'
import type { ProviderResult, Provider } from '../provider.ts'
import { withCode } from './redirect-targets.ts'
import type { PresentIdentity, ResolveAccount } from '../identities/resolve-account.ts'

/** Where a callback leads, and what it opened. */
export interface CallbackAnswer {
  redirectTo: string
  /** To be sent with the response. */
  login?: Login
  /** Whom it signed in, or whose account it linked to; `null` where an app finishes it. */
  userId: string | null
}

/** A callback, and the flow that the browser started. */
export interface CallbackContext {
  provider: Provider
  flow: Flow
  /** Exactly as it was sent. */
  query: URLSearchParams
  /** Called once the flow is used up: before that, the same callback can be repeated. */
  onUsed (): void
}

export interface HandleCallbackDeps {
  bulkhead: Bulkhead
  oneTimeTokens: Pick<OneTimeTokenStore, 'markUsed'>
  presence: Pick<Presence, 'findRecent'>
  presentIdentity: PresentIdentity
  resolveAccount: ResolveAccount
  openIdentitySession: OpenIdentitySession
  findKnownDevices: FindKnownDevices
  mobileCodes: Pick<MobileCodes, 'issue'>
  linkCodes: Pick<LinkCodes, 'issue'>
  linkIdentity: LinkIdentity
  recordLinkFailure: RecordLinkFailure
}

export type HandleCallback = ReturnType<typeof createHandleCallback>

export function createHandleCallback ({ bulkhead, oneTimeTokens, presence, presentIdentity, resolveAccount, openIdentitySession, findKnownDevices, mobileCodes, linkCodes, linkIdentity, recordLinkFailure }: HandleCallbackDeps) {
  function redeem (request: FastifyRequest, reply: FastifyReply, context: CallbackContext): Promise<ProviderResult> {
    return bulkhead.run(context.provider.id, networkOf(clientAddress(request)), () => redeemOnce(context), abortOnDisconnect(reply))
  }

  // The flow is marked as used before the code is redeemed: of two identical callbacks, only one continues.
  async function redeemOnce ({ provider, flow, query, onUsed }: CallbackContext): Promise<ProviderResult> {
    if (!await oneTimeTokens.markUsed('sign_in_flow', flow.state, FLOW_LIFE + CLOCK_DIFFERENCE)) throw new InvalidState('used')
    onUsed()
    // An app's URL may have been opened in several browsers, each with a flow of its own.
    if (flow.purpose.kind === 'app_link' && !await oneTimeTokens.markUsed('link_begun', flow.purpose.id, 2 * FLOW_LIFE)) throw new InvalidState('used')
    return await provider.redeem(query, flow)
  }

  async function finish (request: FastifyRequest, { provider, flow: { purpose, redirectTo } }: CallbackContext, result: ProviderResult): Promise<CallbackAnswer> {
    const client = clientInfo(request)
    switch (purpose.kind) {
      case 'sign_in': {
        const devices = await findKnownDevices(request)
        const isKnown = ({ userId }: AccountLink) => devices.some(({ owner }) => owner === userId)
        const login = await resolveAccount(provider, result, client, link => openIdentitySession(link, purpose.deliver, client, isKnown(link)))
        return { redirectTo, login, userId: login.user.userId }
      }
      case 'app':
        return { redirectTo: withCode(redirectTo, await resolveAccount(provider, result, client, link => mobileCodes.issue(link, { codeChallenge: purpose.codeChallenge, redirectTo }))), userId: null }
      case 'link':
        await linkIdentity(presentIdentity(provider, result), purpose, client)
        return { redirectTo, userId: purpose.userId }
      case 'app_link':
        return { redirectTo: withCode(redirectTo, await issueLinkCode(presentIdentity(provider, result), purpose, redirectTo)), userId: null }
    }
  }

  async function issueLinkCode (identity: PresentedIdentity, purpose: Extract<FlowPurpose, { kind: 'app_link' }>, redirectTo: string): Promise<string> {
    const code = await linkCodes.issue(identity, purpose, { codeChallenge: purpose.codeChallenge, redirectTo })
    if (code === undefined) throw new Problem('different_session')
    return code
  }

  /** Finishes a flow. @throws Problem */
  return async function handleCallback (request: FastifyRequest, reply: FastifyReply, context: CallbackContext): Promise<CallbackAnswer> {
    const { flow: { purpose } } = context
    if (purpose.kind !== 'link') return await finish(request, context, await redeem(request, reply, context))
    try {
      // By the session's own credential, not by an access token: with a stolen one, a thief could link an identity of theirs.
      if (!await presence.findRecent(request, purpose)) throw new Problem('different_session')
      return await finish(request, context, await redeem(request, reply, context))
    } catch (error) {
      recordLinkFailure(error, purpose, context.provider.id, clientInfo(request))
      throw error
    }
  }
}
