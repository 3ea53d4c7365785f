import type { FastifyReply, FastifyRequest } from 'fastify'
import { challengeOf } from './mobile-codes.ts'
import type { FlowPurpose, AuthorizationFlows } from './authorization-flows.ts'
import type { Provider } from '../provider.ts'

/** Begins a flow in the browser that asks. @returns the provider's address, to send it to. @throws Problem when the provider cannot be asked */
export type StartAuthorization = (request: FastifyRequest, reply: FastifyReply, provider: Provider, about: { redirectTo: string, purpose: FlowPurpose }) => Promise<string>

export function createStartAuthorization (flows: AuthorizationFlows): StartAuthorization {
  return async function begin (request, reply, provider, about) {
    const flow = flows.create({ provider: provider.id, ...about })
    const url = await provider.authorizationUrl({ state: flow.state, nonce: flow.nonce, codeChallenge: challengeOf(flow.codeVerifier) })
    flows.keep(request, reply, flow)
    return url.href
  }
}
