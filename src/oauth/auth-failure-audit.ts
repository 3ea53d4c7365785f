import type { AuditStore } from '../audit/store.ts'
import type { ClientInfo } from '../http/client-info.ts'

// Milliseconds: repeated guesses must not fill the table, and one row shows that somebody is guessing.
const EVERY = 60_000

/**
 * Records in the audit trail that a wrong secret was used for a known client, at most once a minute for each.
 *
 * @param now milliseconds
 */
export function createAuthFailureAudit (audit: AuditStore, now: () => number = () => performance.now()) {
  const recorded = new Map<string, number>()

  return async (clientId: string, from: ClientInfo): Promise<void> => {
    const last = recorded.get(clientId) ?? -Infinity
    if (now() - last < EVERY) return
    recorded.set(clientId, now())
    await audit.record({ action: 'client_authentication', outcome: 'failure', detail: { clientId }, ...from })
  }
}
