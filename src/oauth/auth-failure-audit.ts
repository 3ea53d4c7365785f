import type { AuditStore } from '../audit/store.ts'
import type { ClientInfo } from '../http/client-info.ts'

// Milliseconds: guessing fills no table, and one row says that somebody guesses.
const EVERY = 60_000

/**
 * Notes in the audit trail that somebody showed the wrong secret of a client that there is, once a minute for each.
 *
 * @param now milliseconds
 */
export function createAuthFailureAudit (audit: AuditStore, now: () => number = () => performance.now()) {
  const noted = new Map<string, number>()

  return async (clientId: string, from: ClientInfo): Promise<void> => {
    const last = noted.get(clientId) ?? -Infinity
    if (now() - last < EVERY) return
    noted.set(clientId, now())
    await audit.record({ action: 'client_authentication', outcome: 'failure', detail: { clientId }, ...from })
  }
}
