import type { Cookies } from './http/cookies.ts'
import type { Guards } from './http/guards.ts'
import type { Metrics } from './http/server/metrics.ts'

/**
 * The composed service, as far as others have to do with it. It stands apart from the composition so that the types a
 * host reads do not lead to the database's.
 */
export interface Service {
  guards: Guards
  cookies: Cookies
  metrics: Metrics
  probes: Readonly<Record<string, () => Promise<void>>>
}
