import type { AuditStore } from '../../audit/store.ts'
import { Problem } from '../../errors.ts'
import type { ClientInfo } from '../../http/client-info.ts'
import type { Passwords } from '../../passwords/compose.ts'
import type { IdentityStore, LinkingSession } from './identity-store.ts'
import type { IdentityListStore } from './identity-list-store.ts'
import type { ProviderResult, Provider } from '../provider.ts'
import type { PresentIdentity } from './resolve-account.ts'

/** Somebody who is logged in and wants to link an identity. */
export interface LinkRequest extends LinkingSession {
  password: string | undefined
  client: ClientInfo
  /** Aborts when the client has gone. */
  signal: AbortSignal
}

/** Linking an identity to the account that one is logged in to. */
export interface LinkIdentity {
  /** Lets those begin who logged in a short while ago, or give their password. @throws Problem 401, 403 */
  permit (request: LinkRequest): Promise<void>
  /** @throws Problem 409 `identity_taken` when it is somebody else's, 403 `different_session` when the session ended meanwhile */
  link (provider: Provider, arrival: ProviderResult, session: LinkingSession, client: ClientInfo): Promise<void>
}

export interface LinkIdentityDeps {
  identities: IdentityStore
  linked: IdentityListStore
  present: PresentIdentity
  passwords: Passwords
  audit: AuditStore
}

// Seconds.
const RECENT = 300

export function createLinkIdentity ({ identities, linked, present, passwords, audit }: LinkIdentityDeps): LinkIdentity {
  return {
    async permit ({ userId, sessionId, password, client, signal }) {
      const standing = await linked.findStanding({ id: sessionId, userId }, RECENT)
      if (standing === undefined) throw new Problem('invalid_token')
      if (password === undefined) {
        if (standing.isRecent) return
        throw new Problem('recent_login_required')
      }
      if (await passwords.verify(standing.passwordHash, password, { address: client.ip, known: true, signal })) return
      await audit.record({ action: 'identity_link', outcome: 'failure', actorId: userId, subjectId: userId, sessionId, ...client })
      throw new Problem('invalid_credentials')
    },

    async link (provider, arrival, session, client) {
      const identity = present(provider, arrival)
      if (await identities.linkIn(session, identity, client) !== undefined) return
      const owner = await identities.findOwner(identity)
      if (owner !== undefined && owner !== session.userId) throw new Problem('identity_taken')
      if (await identities.recogniseIn(session, identity) === undefined) throw new Problem('different_session')
    }
  }
}
