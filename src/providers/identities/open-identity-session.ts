import { Problem } from '../../errors.ts'
import type { ClientInfo } from '../../http/client-info.ts'
import type { Login, OpenSession } from '../../sessions/open-session.ts'
import type { Channel } from '../../sessions/open-session-store.ts'
import type { AccountLink } from './identity-store.ts'

/** Opens a session for the account of an identity. @throws Problem 403 when it was disabled, or lost the identity, meanwhile */
export type OpenIdentitySession = (entry: Pick<AccountLink, 'userId' | 'identityId'>, channel: Channel, client: ClientInfo) => Promise<Login>

export function createOpenIdentitySession (openSession: OpenSession): OpenIdentitySession {
  return async function enter ({ userId, identityId }, channel, client) {
    const login = await openSession({ id: userId, identityId }, channel, client)
    if (login === undefined) throw new Problem('account_disabled')
    return login
  }
}
