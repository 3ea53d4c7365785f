import type { ClientDetails } from '../http/client-details.ts'
import type { Propagation } from '../revocation/propagation.ts'
import type { EndingStore } from './ending-store.ts'

/** The session to end: by its id, and by its nonce where a refresh token named it. */
export interface LogoutRequest {
  sessionId: string
  nonce?: Buffer
}

export type LogOut = (request: LogoutRequest, client: ClientDetails) => Promise<void>

export function createLogOut ({ endings, propagation }: { endings: Pick<EndingStore, 'logOut'>, propagation: Pick<Propagation, 'apply' | 'catchUp'> }): LogOut {
  return async function logOut ({ sessionId, nonce }, client) {
    const revocations = await endings.logOut({ id: sessionId, ...nonce !== undefined && { nonce } }, client)
    propagation.apply(revocations)
    // It had ended before, perhaps on another instance and a moment ago: the answer says that it is dead here too.
    if (revocations.length === 0) await propagation.catchUp()
  }
}
