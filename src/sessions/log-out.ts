import type { Revocation } from 'countersign-verifier/internal'
import type { ClientInfo } from '../http/client-info.ts'
import type { LedgerSync } from '../revocation/ledger-sync.ts'
import type { NamedSession, SessionName } from './end-session-store.ts'

/** Ends a session. @returns whether it was live: `false` where it had ended before, or there is none */
export type LogOut<Name extends SessionName = NamedSession> = (session: Name, client: ClientInfo) => Promise<boolean>

export interface LogOutDeps<Name extends SessionName> {
  /** Decides which reason is recorded. */
  end (session: Name, client: ClientInfo): Promise<Revocation[]>
  ledgerSync: Pick<LedgerSync, 'apply' | 'catchUp'>
}

export function createLogOut<Name extends SessionName> ({ end, ledgerSync }: LogOutDeps<Name>): LogOut<Name> {
  return async function logOut (session, client) {
    const revocations = await end(session, client)
    ledgerSync.apply(revocations)
    const wasLive = revocations.length > 0
    // Another instance may have just ended it: by the time of the response it is revoked here too.
    if (!wasLive) await ledgerSync.catchUp()
    return wasLive
  }
}
