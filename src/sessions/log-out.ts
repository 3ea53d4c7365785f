import type { ClientInfo } from '../http/client-info.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { EndSessionStore } from './end-session-store.ts'

/** The session to end: by its id, and by its nonce where a refresh token named it. */
export interface LogoutRequest {
  sessionId: string
  nonce?: Buffer
}

/** Ends a session. @returns whether it was live: `false` where it had ended before */
export type LogOut = (request: LogoutRequest, client: ClientInfo) => Promise<boolean>

/** @param deps `end` decides which reason is recorded */
export function createLogOut ({ end, ledgerSync }: { end: EndSessionStore['logOut' | 'revoke'], ledgerSync: Pick<LedgerSync, 'apply' | 'catchUp'> }): LogOut {
  return async function logOut ({ sessionId, nonce }, client) {
    const revocations = await end({ id: sessionId, ...nonce !== undefined && { nonce } }, client)
    ledgerSync.apply(revocations)
    const wasLive = revocations.length > 0
    // Another instance may have just ended it: by the time of the response it is revoked here too.
    if (!wasLive) await ledgerSync.catchUp()
    return wasLive
  }
}
