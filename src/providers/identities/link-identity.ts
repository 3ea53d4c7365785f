import { Problem } from '../../errors.ts'
import type { ClientInfo } from '../../http/client-info.ts'
import type { IdentityStore, LinkingSession, PresentedIdentity } from './identity-store.ts'

/**
 * Links an identity to the account that one is logged in to.
 *
 * @throws Problem 409 `identity_taken` when it is somebody else's, 403 `different_session` when the session ended meanwhile
 */
export type LinkIdentity = (identity: PresentedIdentity, session: LinkingSession, client: ClientInfo) => Promise<void>

export function createLinkIdentity (identities: IdentityStore): LinkIdentity {
  return async function linkIdentity (identity, session, client) {
    if (await identities.linkIn(session, identity, client) !== undefined) return
    const owner = await identities.findOwner(identity)
    if (owner !== undefined && owner !== session.userId) throw new Problem('identity_taken')
    if (await identities.recogniseIn(session, identity) === undefined) throw new Problem('different_session')
  }
}
