import type { FastifyRequest } from 'fastify'
import { Problem, type ProblemCode } from '../../errors.ts'
import type { Provider } from '../provider.ts'
import { InvalidState } from './invalid-state.ts'

/** Logs a failure with its cause. @returns the code for the browser, which does not get the cause */
export type FailSignIn = (error: unknown, provider: Pick<Provider, 'id'>, request: FastifyRequest) => ProblemCode

export interface FailSignInDeps {
  publicUrl: string
  /** Whether an error means "try again later". */
  isUnavailable (error: unknown): boolean
}

export function createFailSignIn ({ publicUrl, isUnavailable }: FailSignInDeps): FailSignIn {
  const describeOrigin = createDescribeOrigin(publicUrl)

  return function failSignIn (error, { id: provider }, request) {
    const code = error instanceof Problem ? error.code : isUnavailable(error) ? 'unavailable' : 'internal_error'
    const cause = error instanceof Problem ? error.cause : error
    const reason = error instanceof InvalidState ? error.reason : undefined
    request.log[levelOf(code)]({ provider, code, ...reason !== undefined && { reason }, ...describeOrigin(request), ...cause !== undefined && { err: cause } }, 'provider sign-in failed')
    return code
  }
}

function levelOf (code: ProblemCode): 'error' | 'warn' | 'info' {
  if (code === 'internal_error' || code === 'unavailable') return 'error'
  return code.startsWith('provider_') ? 'warn' : 'info'
}

/**
 * @returns what describes, for the log, that a request came to another host than that of `PUBLIC_URL`: a cookie of there does
 * not come along to the callback, which is always at `PUBLIC_URL`
 */
export function createDescribeOrigin (publicUrl: string): (request: FastifyRequest) => { host: string, publicUrl: string } | undefined {
  const { host: expected } = new URL(publicUrl)
  return ({ host }) => host.toLowerCase() === expected ? undefined : { host, publicUrl }
}
