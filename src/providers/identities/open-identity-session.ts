import { Problem } from '../../errors.ts'
import type { ClientInfo } from '../../http/client-info.ts'
import type { Login, OpenSession } from '../../sessions/open-session.ts'
import type { Channel } from '../../sessions/open-session-store.ts'
import type { AccountLink } from './identity-store.ts'

export type OpenIdentitySession = ReturnType<typeof createOpenIdentitySession>

export function createOpenIdentitySession (openSession: OpenSession) {
  /** Opens a session for the account of an identity. @throws Problem 403 when the account was disabled or the identity unlinked meanwhile */
  return async function openIdentitySession ({ userId, identityId }: Pick<AccountLink, 'userId' | 'identityId'>, channel: Channel, client: ClientInfo): Promise<Login> {
    const login = await openSession({ id: userId, identityId }, channel, client)
    if (login === undefined) throw new Problem('account_disabled')
    return login
  }
}
