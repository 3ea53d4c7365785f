import type { ClientInfo } from '../http/client-info.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { EndSessionStore } from './end-session-store.ts'

/** The session to end: by its id, and by its nonce where a refresh token named it. */
export interface LogoutRequest {
  sessionId: string
  nonce?: Buffer
}

export type LogOut = (request: LogoutRequest, client: ClientInfo) => Promise<void>

export function createLogOut ({ endings, propagation }: { endings: Pick<EndSessionStore, 'logOut'>, propagation: Pick<LedgerSync, 'apply' | 'catchUp'> }): LogOut {
  return async function logOut ({ sessionId, nonce }, client) {
    const revocations = await endings.logOut({ id: sessionId, ...nonce !== undefined && { nonce } }, client)
    propagation.apply(revocations)
    // It had ended before, perhaps on another instance and a moment ago: the answer says that it is dead here too.
    if (revocations.length === 0) await propagation.catchUp()
  }
}
