import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AuditStore } from '../audit/store.ts'
import { Problem, type ProblemCode } from '../errors.ts'
import { clientDetails } from '../http/client-details.ts'
import type { OneTimeStore } from '../one-time/store.ts'
import type { DeliverLogin } from '../sessions/deliver-login.ts'
import type { AppCodes } from './app-codes.ts'
import type { Enter } from './enter.ts'
import { FLOW_LIFE, type Flow } from './flows.ts'
import type { Linking } from './link.ts'
import type { Arrival, Provider } from './provider.ts'
import { withCode } from './redirect-targets.ts'
import type { AssertSameSession } from './same-session.ts'
import type { SignIn } from './sign-in.ts'

/** A browser at the callback, with the flow that it began. */
export interface Landing {
  provider: Provider
  flow: Flow
  /** As it was sent. */
  query: URLSearchParams
}

/** Finishes a flow. @returns where the browser goes. @throws Problem */
export type ComeBack = (request: FastifyRequest, reply: FastifyReply, landing: Landing) => Promise<string>

/** What coming back takes. */
export interface ComeBackParts {
  oneTime: Pick<OneTimeStore, 'burn'>
  assertSameSession: AssertSameSession
  signIn: SignIn
  enter: Enter
  deliver: DeliverLogin
  codes: Pick<AppCodes, 'issue'>
  linking: Pick<Linking, 'link'>
  audit: AuditStore
}

// What somebody may have meant by it: a link that fails at the provider tells nothing.
const WORTH_REMEMBERING: readonly ProblemCode[] = ['different_session', 'identity_taken']

export function createComeBack ({ oneTime, assertSameSession, signIn, enter, deliver, codes, linking, audit }: ComeBackParts): ComeBack {
  return async function comeBack (request, reply, landing) {
    const { flow: { errand } } = landing
    if (errand.kind !== 'link') return await finish(request, reply, landing, await redeem(landing))
    try {
      await assertSameSession(request, errand)
      return await finish(request, reply, landing, await redeem(landing))
    } catch (error) {
      if (error instanceof Problem && WORTH_REMEMBERING.includes(error.code)) await remember(request, landing, errand, error)
      throw error
    }
  }

  // Burned before the code is redeemed: of a callback that comes twice, one goes on.
  async function redeem ({ provider, flow, query }: Landing): Promise<Arrival> {
    if (!await oneTime.burn('sign_in_flow', flow.state, FLOW_LIFE)) throw new Problem('invalid_state')
    return await provider.redeem(query, flow)
  }

  async function finish (request: FastifyRequest, reply: FastifyReply, { provider, flow: { errand, redirectTo } }: Landing, arrival: Arrival): Promise<string> {
    const client = clientDetails(request)
    switch (errand.kind) {
      case 'sign_in':
        deliver(reply, await enter(await signIn(provider, arrival, client), errand.deliver, client))
        return redirectTo
      case 'app':
        return withCode(redirectTo, await codes.issue(await signIn(provider, arrival, client), { codeChallenge: errand.codeChallenge, redirectTo }))
      case 'link':
        await linking.link(provider, arrival, errand, client)
        return redirectTo
    }
  }

  function remember (request: FastifyRequest, { provider }: Landing, { userId, sessionId }: { userId: string, sessionId: string }, { code }: Problem): Promise<void> {
    return audit.record({ action: 'identity_link', outcome: 'failure', actorId: userId, subjectId: userId, sessionId, detail: { provider: provider.id, code }, ...clientDetails(request) })
  }
}
