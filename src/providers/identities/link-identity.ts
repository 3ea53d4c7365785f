import { Problem } from '../../errors.ts'
import type { ClientInfo } from '../../http/client-info.ts'
import type { IdentityStore, LinkingSession, PresentedIdentity } from './identity-store.ts'

export type LinkIdentity = ReturnType<typeof createLinkIdentity>

export function createLinkIdentity (identities: IdentityStore) {
  /**
   * Links an identity to the account of a session.
   *
   * @throws Problem 409 `identity_taken` when it is linked to another account, 403 `different_session` when the session has ended meanwhile
   */
  return async function linkIdentity (identity: PresentedIdentity, session: LinkingSession, client: ClientInfo): Promise<void> {
    if (await identities.linkInSession(session, identity, client) !== undefined) return
    const owner = await identities.findOwner(identity)
    if (owner !== undefined && owner !== session.userId) throw new Problem('identity_taken')
    if (await identities.recordUseInSession(session, identity) === undefined) throw new Problem('different_session')
  }
}
