import { MAX_ACCESS_TOKEN_LIFE, type RevocationSet } from 'countersign-verifier'
import type { SessionStore } from './store.ts'

/** The session to end: by its id, and by its nonce where a refresh token named it. */
export interface LogoutRequest {
  sessionId: string
  nonce?: Buffer
}

export type LogOut = (request: LogoutRequest) => Promise<void>

/** @param clock milliseconds since 1970 */
export function createLogOut ({ sessions, revocations, clock = Date.now }: { sessions: SessionStore, revocations: RevocationSet, clock?: () => number }): LogOut {
  return async function logOut ({ sessionId, nonce }) {
    await sessions.end({ id: sessionId, ...nonce !== undefined && { nonce } }, 'logout')
    revocations.add({ kind: 'session', id: sessionId, expiresAt: Math.ceil(clock() / 1000) + MAX_ACCESS_TOKEN_LIFE + 60 })
  }
}
