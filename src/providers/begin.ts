import type { FastifyReply, FastifyRequest } from 'fastify'
import { challengeOf } from './app-codes.ts'
import type { Errand, Flows } from './flows.ts'
import type { Provider } from './provider.ts'

/** Begins a flow in the browser that asks. @returns the provider's address, to send it to. @throws Problem when the provider cannot be asked */
export type Begin = (request: FastifyRequest, reply: FastifyReply, provider: Provider, about: { redirectTo: string, errand: Errand }) => Promise<string>

export function createBegin (flows: Flows): Begin {
  return async function begin (request, reply, provider, about) {
    const flow = flows.create({ provider: provider.id, ...about })
    const url = await provider.authorizationUrl({ state: flow.state, nonce: flow.nonce, codeChallenge: challengeOf(flow.codeVerifier) })
    flows.keep(request, reply, flow)
    return url.href
  }
}
