import { Problem } from '../errors.ts'
import type { ClientDetails } from '../http/client-details.ts'
import type { Login, OpenSession } from '../sessions/open-session.ts'
import type { Channel } from '../sessions/store.ts'
import type { Entry } from './identity-store.ts'

/** Opens a session for the account of an identity. @throws Problem 403 when it was disabled, or lost the identity, meanwhile */
export type Enter = (entry: Pick<Entry, 'userId' | 'identityId'>, channel: Channel, client: ClientDetails) => Promise<Login>

export function createEnter (openSession: OpenSession): Enter {
  return async function enter ({ userId, identityId }, channel, client) {
    const login = await openSession({ id: userId, identityId }, channel, client)
    if (login === undefined) throw new Problem('account_disabled')
    return login
  }
}
