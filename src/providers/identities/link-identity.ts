import { Problem } from '../../errors.ts'
import type { ClientInfo } from '../../http/client-info.ts'
import type { LinkNotices } from './link-notices.ts'
import type { IdentityStore, LinkingSession, PresentedIdentity } from './identity-store.ts'

// An attempt fails only when another request linked or unlinked the identity at that moment.
const MAX_ATTEMPTS = 5

export type LinkIdentity = ReturnType<typeof createLinkIdentity>

export function createLinkIdentity (identities: IdentityStore, notices: LinkNotices) {
  /**
   * Links an identity to the account of a session.
   *
   * @throws Problem 409 `identity_taken` when it is linked to another account, 403 `different_session` when the session has ended meanwhile
   */
  return async function linkIdentity (identity: PresentedIdentity, session: LinkingSession, client: ClientInfo): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (await identities.linkInSession(session, identity, client, notices.linked(identity.provider)) !== undefined) return notices.wake()
      if (await identities.recordUseInSession(session, identity) !== undefined) return
      const { isLive, owner } = await identities.findLink(identity, session)
      if (!isLive) throw new Problem('different_session')
      if (owner !== null && owner !== session.userId) throw new Problem('identity_taken')
    }
    throw new Problem('unavailable')
  }
}
