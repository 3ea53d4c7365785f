import type { ClientInfo } from '../../http/client-info.ts'
import type { Login, OpenSession } from '../../sessions/open-session.ts'
import type { Channel } from '../../sessions/open-session-store.ts'
import type { AccountLink } from './identity-store.ts'

export type OpenIdentitySession = ReturnType<typeof createOpenIdentitySession>

export function createOpenIdentitySession (openSession: OpenSession) {
  /**
   * Opens a session for the account of an identity.
   *
   * @param isKnownDevice whether the client has shown that the account has logged in from it before
   * @returns `undefined` when the account was disabled or deleted, or the identity unlinked meanwhile
   */
  return async function openIdentitySession ({ userId, identityId }: Pick<AccountLink, 'userId' | 'identityId'>, channel: Channel, client: ClientInfo, isKnownDevice = false): Promise<Login | undefined> {
    return await openSession({ id: userId, isKnownDevice, identityId }, channel, client)
  }
}
