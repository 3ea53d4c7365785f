import { createHash, randomBytes } from 'node:crypto'
import { fastifyCookie } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config.ts'
import { AmbiguousCookie, readCookie, readCookiesOf } from '../../http/cookies.ts'
import type { Encryption } from '../../tokens/encryption.ts'
import type { LinkingSession } from '../identities/identity-store.ts'
import type { StateFailure } from './invalid-state.ts'

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
/** How far the clocks of two instances may differ, in seconds. */
export const CLOCK_DIFFERENCE = 60
const MAX_FLOWS = 5
// A browser has at most five. What has more was not set here, and is not worth the work.
const MAX_COOKIES = 10

export type AuthorizationFlows = ReturnType<typeof createAuthorizationFlows>

/**
 * The flows of a browser, each stored encrypted in a cookie with the flow's id in its name: starting one writes nothing to
 * the database.
 *
 * @param now the database's clock, in milliseconds since 1970
 */
export function createAuthorizationFlows ({ publicUrl }: Pick<Config, 'publicUrl'>, encryption: Encryption, now: () => number) {
  const secure = publicUrl.startsWith('https:')
  const prefix = `${secure ? '__Host-' : ''}flow-`

  // Always Lax: the callback comes from another site.
  function setCookie (reply: FastifyReply, id: string, value: string, maxAge: number): void {
    reply.header('set-cookie', fastifyCookie.serialize(prefix + id, value, { path: '/', httpOnly: true, secure, sameSite: 'lax', maxAge }))
  }

  function clearCookie (reply: FastifyReply, id: string): void {
    setCookie(reply, id, '', 0)
  }

  function open (cookie: string, id: string): Flow | undefined {
    const text = encryption.decrypt(cookie, id)
    return text === undefined ? undefined : JSON.parse(text) as Flow
  }

  function checkAge (startedAt: number): StateFailure | undefined {
    const age = (now() - startedAt) / 1000
    if (age >= FLOW_LIFE) return 'too old'
    return age < -CLOCK_DIFFERENCE ? 'started in the future' : undefined
  }

  // An ambiguous cookie counts as missing: a new flow gets a cookie of its own.
  function readFlowCookie ({ headers: { cookie: header = '' } }: FastifyRequest, id: string): string | undefined {
    try {
      return readCookie(header, prefix + id)
    } catch (error) {
      if (error instanceof AmbiguousCookie) return undefined
      throw error
    }
  }

  function evictOldest ({ headers: { cookie: header = '' } }: FastifyRequest, reply: FastifyReply): void {
    // Of cookies of one path the earlier comes first (RFC 6265 §5.4), which decides where two began in one millisecond.
    const cookies = [...readCookiesOf(header, prefix, MAX_COOKIES)].reverse()
    const started = cookies.map(([id, cookie]) => ({ id, at: cookie === undefined ? 0 : startOf(cookie, id) }))
    const surplus = started.sort((a, b) => b.at - a.at).filter(({ at }, index) => at === 0 || index >= MAX_FLOWS - 1)
    for (const { id } of surplus) clearCookie(reply, id)
  }

  // 0 for a cookie of no flow that could still be finished.
  function startOf (cookie: string, id: string): number {
    const flow = open(cookie, id)
    return flow !== undefined && checkAge(flow.startedAt) === undefined ? flow.startedAt : 0
  }

  return {
    create (start: Pick<Flow, 'provider' | 'redirectTo' | 'purpose'>): Flow {
      const startedAt = now()
      return { ...start, state: createState(start.purpose, startedAt), nonce: random(), codeVerifier: random(), startedAt }
    },

    /** Stores a flow in the browser. Of more than five, the oldest are removed. */
    save (request: FastifyRequest, reply: FastifyReply, flow: Flow): void {
      evictOldest(request, reply)
      const id = idOf(flow.state)
      setCookie(reply, id, encryption.encrypt(JSON.stringify(flow), id), FLOW_LIFE)
    },

    /** @returns the flow of a state, or why this browser has none */
    find (request: FastifyRequest, state: string): Flow | StateFailure {
      const id = idOf(state)
      const cookie = readFlowCookie(request, id)
      const flow = cookie === undefined ? undefined : open(cookie, id)
      if (flow?.state === state) return checkAge(flow.startedAt) ?? flow
      // By then the browser has dropped the cookie.
      return checkAge(readState(state)?.startedAt ?? now()) === 'too old' ? 'too old' : 'no cookie'
    },

    clear: (reply: FastifyReply, state: string): void => clearCookie(reply, idOf(state))
  }
}

// What it says beside its 256 bits decides nothing: it tells apart, when the flow's cookie is gone, what can be the reason.
function createState ({ kind }: FlowPurpose, startedAt: number): string {
  return `${random()}-${Math.floor(startedAt).toString(36)}${kind === 'sign_in' ? '' : '-other'}`
}

/** @returns when a flow was started, and whether it is to sign in in a browser, as its state says; `undefined` for another text */
export function readState (state: string): { startedAt: number, isSignIn: boolean } | undefined {
  const [, startedAt, other] = /^[\w-]{43}-([0-9a-z]{8,9})(-other)?$/.exec(state) ?? []
  return startedAt === undefined ? undefined : { startedAt: Number.parseInt(startedAt, 36), isSignIn: other === undefined }
}

// 256 bits, in the alphabet of a PKCE verifier (RFC 7636 §4.1).
function random (): string {
  return randomBytes(32).toString('base64url')
}

function idOf (state: string): string {
  return createHash('sha256').update(state).digest().subarray(0, 16).toString('base64url')
}
