import { createHash, randomBytes } from 'node:crypto'
import { fastifyCookie } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config.ts'
import { AmbiguousCookie, cookieNames, readCookie } from '../../http/cookies.ts'
import type { Encryption } from '../../tokens/encryption.ts'
import type { LinkingSession } from '../identities/identity-store.ts'

/** What a flow is for. */
export type FlowPurpose =
  /** To sign in in a browser. */
  | { kind: 'sign_in', deliver: 'cookie' | 'session' }
  /** To sign in in a mobile app, which holds the verifier of the challenge. */
  | { kind: 'app', codeChallenge: string }
  /** To link an identity to the account of a session. */
  | { kind: 'link' } & LinkingSession
  /** To link from a mobile app, which holds the verifier of the challenge; `id` identifies the start. */
  | { kind: 'app_link', id: string, codeChallenge: string } & LinkingSession

/** One authorization code flow, from the redirect to the provider until the callback. */
export interface Flow {
  /** The id of the provider. */
  provider: string
  redirectTo: string
  purpose: FlowPurpose
  state: string
  nonce: string
  codeVerifier: string
  /** Milliseconds since 1970: seconds would not tell which of two tabs is the older. */
  startedAt: number
}

/** How long a flow may take, in seconds. */
export const FLOW_LIFE = 600
const MAX_FLOWS = 5

export type AuthorizationFlows = ReturnType<typeof createAuthorizationFlows>

/**
 * The flows of a browser, each stored encrypted in a cookie with the flow's id in its name: starting one writes nothing to
 * the database.
 *
 * @param now milliseconds since 1970
 */
export function createAuthorizationFlows ({ publicUrl }: Pick<Config, 'publicUrl'>, encryption: Encryption, now: () => number = () => Date.now()) {
  const secure = publicUrl.startsWith('https:')
  const prefix = `${secure ? '__Host-' : ''}flow-`

  // Always Lax: the callback comes from another site.
  function setCookie (reply: FastifyReply, id: string, value: string, maxAge: number): void {
    reply.header('set-cookie', fastifyCookie.serialize(prefix + id, value, { path: '/', httpOnly: true, secure, sameSite: 'lax', maxAge }))
  }

  function clearCookie (reply: FastifyReply, id: string): void {
    setCookie(reply, id, '', 0)
  }

  function read (request: FastifyRequest, id: string): Flow | undefined {
    const text = decrypt(request, id)
    const flow = text === undefined ? undefined : JSON.parse(text) as Flow
    return flow !== undefined && now() - flow.startedAt < FLOW_LIFE * 1000 ? flow : undefined
  }

  // An ambiguous cookie counts as missing: a new flow gets a cookie of its own.
  function decrypt ({ headers: { cookie: header = '' } }: FastifyRequest, id: string): string | undefined {
    try {
      const cookie = readCookie(header, prefix + id)
      return cookie === undefined ? undefined : encryption.decrypt(cookie, id)
    } catch (error) {
      if (error instanceof AmbiguousCookie) return undefined
      throw error
    }
  }

  function idsOf ({ headers: { cookie: header = '' } }: FastifyRequest): string[] {
    const names = cookieNames(header).filter(name => name.startsWith(prefix))
    return [...new Set(names)].map(name => name.slice(prefix.length))
  }

  function evictOldest (request: FastifyRequest, reply: FastifyReply): void {
    const started = idsOf(request).map(id => ({ id, at: read(request, id)?.startedAt ?? 0 }))
    const surplus = started.sort((a, b) => b.at - a.at).filter(({ at }, index) => at === 0 || index >= MAX_FLOWS - 1)
    for (const { id } of surplus) clearCookie(reply, id)
  }

  return {
    create: (start: Pick<Flow, 'provider' | 'redirectTo' | 'purpose'>): Flow => ({ ...start, state: random(), nonce: random(), codeVerifier: random(), startedAt: now() }),

    /** Stores a flow in the browser. Of more than five, the oldest are removed. */
    save (request: FastifyRequest, reply: FastifyReply, flow: Flow): void {
      evictOldest(request, reply)
      const id = idOf(flow.state)
      setCookie(reply, id, encryption.encrypt(JSON.stringify(flow), id), FLOW_LIFE)
    },

    /** @returns the flow of a state, if this browser started it and it has not expired */
    find (request: FastifyRequest, state: string): Flow | undefined {
      const flow = read(request, idOf(state))
      return flow?.state === state ? flow : undefined
    },

    clear: (reply: FastifyReply, state: string): void => clearCookie(reply, idOf(state))
  }
}

// 256 bits, in the alphabet of a PKCE verifier (RFC 7636 §4.1).
function random (): string {
  return randomBytes(32).toString('base64url')
}

function idOf (state: string): string {
  return createHash('sha256').update(state).digest().subarray(0, 16).toString('base64url')
}
