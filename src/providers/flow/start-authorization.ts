import type { FastifyReply, FastifyRequest } from 'fastify'
import { challengeOf } from './mobile-codes.ts'
import type { FlowPurpose, AuthorizationFlows } from './authorization-flows.ts'
import type { Provider } from '../provider.ts'

export type StartAuthorization = ReturnType<typeof createStartAuthorization>

export function createStartAuthorization (flows: AuthorizationFlows) {
  /** Starts a flow in the requesting browser. @returns the authorization URL to redirect to. @throws Problem when the provider is unavailable */
  return async function startAuthorization (request: FastifyRequest, reply: FastifyReply, provider: Provider, { redirectTo, purpose }: { redirectTo: string, purpose: FlowPurpose }): Promise<string> {
    const flow = flows.create({ provider: provider.id, redirectTo, purpose })
    const url = await provider.authorizationUrl({ state: flow.state, nonce: flow.nonce, codeChallenge: challengeOf(flow.codeVerifier) })
    flows.save(request, reply, flow)
    return url.href
  }
}
