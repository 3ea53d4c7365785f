import type { FastifyRequest } from 'fastify'
import { invalidField } from '../../errors.ts'
import type { FlowPurpose } from './authorization-flows.ts'
import { isCustomScheme } from './redirect-targets.ts'

/** The query of a sign-in button. */
export interface StartQuery {
  deliver?: 'cookie' | 'session'
  codeChallenge?: string
  codeChallengeMethod?: 'S256'
}

/** @returns what the flow is for. @throws Problem 422 when the parameters contradict each other */
export function readFlowPurpose ({ deliver, codeChallenge, codeChallengeMethod }: StartQuery, redirectTo: string): FlowPurpose {
  if (codeChallenge === undefined) {
    if (codeChallengeMethod !== undefined) throw invalidField('codeChallenge', 'is required with codeChallengeMethod')
    // An app gets no cookies: what it gets instead has to be bound to it.
    if (isCustomScheme(redirectTo)) throw invalidField('codeChallenge', 'is required when redirectTo has a custom scheme')
    return { kind: 'sign_in', deliver: deliver ?? 'cookie' }
  }
  if (deliver !== undefined) throw invalidField('deliver', 'cannot be combined with codeChallenge: the exchange returns the tokens')
  return { kind: 'app', codeChallenge }
}

/** @returns the query exactly as it was sent: a duplicate parameter must stay visible */
export function queryOf ({ raw }: FastifyRequest): URLSearchParams {
  const start = raw.url?.indexOf('?') ?? -1
  return new URLSearchParams(start < 0 ? '' : raw.url?.slice(start))
}
