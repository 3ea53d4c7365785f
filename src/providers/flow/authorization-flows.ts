import { createHash, randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AmbiguousCookie } from '../../http/cookies.ts'
import type { FlowCookies } from './flow-cookies.ts'
import type { Encryption } from '../../tokens/encryption.ts'

/** What somebody went to a provider for. */
export type FlowPurpose =
  /** To sign in with a browser. */
  | { kind: 'sign_in', deliver: 'cookie' | 'session' }
  /** To sign in with an app, which holds the verifier of this challenge. */
  | { kind: 'app', codeChallenge: string }
  /** To link an identity to the account that they are logged in to. */
  | { kind: 'link', userId: string, sessionId: string }
  /** The same from an app, which holds the verifier of the challenge; `id` is this beginning's own. */
  | { kind: 'app_link', id: string, userId: string, sessionId: string, codeChallenge: string }

/** One way to a provider and back. */
export interface Flow {
  /** The id of the provider. */
  provider: string
  redirectTo: string
  purpose: FlowPurpose
  state: string
  nonce: string
  codeVerifier: string
  /** Milliseconds since 1970: two tabs may be opened within one second, and the older has to go first. */
  startedAt: number
}

/** How long somebody may be away, in seconds. */
export const FLOW_LIFE = 600
const MOST_FLOWS = 5

/** The flows that a browser has begun. They live in its cookies, encrypted: beginning one writes nothing here. */
export interface AuthorizationFlows {
  create (about: Pick<Flow, 'provider' | 'redirectTo' | 'purpose'>): Flow
  /** Has the browser keep a flow; of more than five the oldest go. */
  keep (request: FastifyRequest, reply: FastifyReply, flow: Flow): void
  /** @returns the flow of a state, if it was begun in this browser, not too long ago */
  find (request: FastifyRequest, state: string): Flow | undefined
  forget (reply: FastifyReply, state: string): void
}

/** @param now milliseconds since 1970 */
export function createAuthorizationFlows (cookies: FlowCookies, encryption: Encryption, now: () => number = () => Date.now()): AuthorizationFlows {
  function open (request: FastifyRequest, id: string): Flow | undefined {
    const text = decrypt(request, id)
    const flow = text === undefined ? undefined : JSON.parse(text) as Flow
    return flow !== undefined && now() - flow.startedAt < FLOW_LIFE * 1000 ? flow : undefined
  }

  // Whatever is wrong with a cookie, it opens nothing; a new flow gets one of its own.
  function decrypt (request: FastifyRequest, id: string): string | undefined {
    try {
      const cookie = cookies.read(request, id)
      return cookie === undefined ? undefined : encryption.decrypt(cookie, id)
    } catch (error) {
      if (error instanceof AmbiguousCookie) return undefined
      throw error
    }
  }

  function makeRoom (request: FastifyRequest, reply: FastifyReply): void {
    const begun = cookies.ids(request).map(id => ({ id, since: open(request, id)?.startedAt ?? 0 }))
    const surplus = begun.sort((a, b) => b.since - a.since).filter(({ since }, place) => since === 0 || place >= MOST_FLOWS - 1)
    for (const { id } of surplus) cookies.clear(reply, id)
  }

  return {
    create: about => ({ ...about, state: random(), nonce: random(), codeVerifier: random(), startedAt: now() }),

    keep (request, reply, flow) {
      makeRoom(request, reply)
      const id = idOf(flow.state)
      cookies.set(reply, id, encryption.encrypt(JSON.stringify(flow), id), FLOW_LIFE)
    },

    find (request, state) {
      const flow = open(request, idOf(state))
      return flow?.state === state ? flow : undefined
    },

    forget: (reply, state) => cookies.clear(reply, idOf(state))
  }
}

// 256 bits, in the alphabet that a PKCE verifier may have.
function random (): string {
  return randomBytes(32).toString('base64url')
}

function idOf (state: string): string {
  return createHash('sha256').update(state).digest().subarray(0, 16).toString('base64url')
}
