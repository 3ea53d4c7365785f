import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../errors.ts'
import type { Guards } from '../http/authenticate.ts'
import { clientDetails } from '../http/client-details.ts'
import type { OneTimeStore } from '../one-time/store.ts'
import type { DeliverLogin } from '../sessions/deliver-login.ts'
import type { AppCodes } from './app-codes.ts'
import type { Enter } from './enter.ts'
import { FLOW_LIFE, type Errand, type Flow } from './flows.ts'
import type { Linking } from './link.ts'
import type { Arrival, Provider } from './provider.ts'
import { withParameter } from './redirect-targets.ts'
import type { SignIn } from './sign-in.ts'

/** Finishes a flow. @returns where the browser goes. @throws Problem */
export type ComeBack = (request: FastifyRequest, reply: FastifyReply, arriving: { provider: Provider, flow: Flow, query: URLSearchParams }) => Promise<string>

/** What coming back takes. */
export interface ComeBackParts {
  oneTime: Pick<OneTimeStore, 'burn'>
  guards: Pick<Guards, 'byBearer' | 'byCookie'>
  signIn: SignIn
  enter: Enter
  deliver: DeliverLogin
  codes: Pick<AppCodes, 'issue'>
  linking: Pick<Linking, 'link'>
}

export function createComeBack ({ oneTime, guards, signIn, enter, deliver, codes, linking }: ComeBackParts): ComeBack {
  return async function comeBack (request, reply, { provider, flow, query }) {
    if (flow.errand.kind === 'link') await assertSameSession(request, flow.errand)
    // Burned before the code is redeemed: of a callback that comes twice, one goes on.
    if (!await oneTime.burn('sign_in_flow', flow.state, FLOW_LIFE)) throw new Problem('invalid_state')
    const arrival = await provider.redeem(query, flow)
    return await finish(request, reply, { provider, flow, arrival })
  }

  async function finish (request: FastifyRequest, reply: FastifyReply, { provider, flow: { errand, redirectTo }, arrival }: { provider: Provider, flow: Flow, arrival: Arrival }): Promise<string> {
    const client = clientDetails(request)
    switch (errand.kind) {
      case 'sign_in':
        deliver(reply, await enter(await signIn(provider, arrival, client), errand.deliver, client))
        return redirectTo
      case 'app':
        return withParameter(redirectTo, 'code', await codes.issue(await signIn(provider, arrival, client), { codeChallenge: errand.codeChallenge, redirectTo }))
      case 'link':
        await linking.link(provider, arrival, errand.userId, client)
        return redirectTo
    }
  }

  // Else somebody could have their own identity linked to whoever is logged in when they come back.
  async function assertSameSession (request: FastifyRequest, { userId, sessionId }: Errand & { kind: 'link' }): Promise<void> {
    const carried = await Promise.allSettled([...guards.byBearer(request), ...guards.byCookie(request)])
    const isSame = carried.some(result => result.status === 'fulfilled' && result.value.id === userId && result.value.sessionId === sessionId)
    if (!isSame) throw new Problem('different_session')
  }
}
