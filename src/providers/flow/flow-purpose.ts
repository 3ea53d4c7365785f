import type { FastifyRequest } from 'fastify'
import { invalidField } from '../../errors.ts'
import type { FlowPurpose } from './authorization-flows.ts'
import { isCustomScheme } from './redirect-targets.ts'

/** What a button asks for. */
export interface StartQuery {
  deliver?: 'cookie' | 'session'
  codeChallenge?: string
  codeChallengeMethod?: 'S256'
}

/** @returns what somebody goes to a provider for. @throws Problem 422 when the parameters do not go together */
export function readFlowPurpose ({ deliver, codeChallenge, codeChallengeMethod }: StartQuery, redirectTo: string): FlowPurpose {
  if (codeChallenge === undefined) {
    if (codeChallengeMethod !== undefined) throw invalidField('codeChallenge', 'is required beside codeChallengeMethod')
    // No cookie reaches an app: what it is to be given has to be bound to it.
    if (isCustomScheme(redirectTo)) throw invalidField('codeChallenge', 'is required where redirectTo is an app\'s')
    return { kind: 'sign_in', deliver: deliver ?? 'cookie' }
  }
  if (deliver !== undefined) throw invalidField('deliver', 'is not for apps: tokens come with the exchange')
  return { kind: 'app', codeChallenge }
}

/** @returns the query as it was sent: a parameter that comes twice must not be mended on the way */
export function queryOf ({ raw }: FastifyRequest): URLSearchParams {
  const start = raw.url?.indexOf('?') ?? -1
  return new URLSearchParams(start < 0 ? '' : raw.url?.slice(start))
}
