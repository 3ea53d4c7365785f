import type { AuditStore } from '../audit/store.ts'
import { Problem } from '../errors.ts'
import type { ClientDetails } from '../http/client-details.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { IdentityStore, LinkingSession } from './identity-store.ts'
import type { LinkedStore } from './linked-store.ts'
import type { Arrival, Provider } from './provider.ts'
import type { PresentIdentity } from './sign-in.ts'

/** Somebody who is logged in and wants to link an identity. */
export interface LinkRequest extends LinkingSession {
  password: string | undefined
  client: ClientDetails
  /** Aborts when the client has gone. */
  signal: AbortSignal
}

/** Linking an identity to the account that one is logged in to. */
export interface Linking {
  /** Lets those begin who logged in a short while ago, or give their password. @throws Problem 401, 403 */
  permit (request: LinkRequest): Promise<void>
  /** @throws Problem 409 `identity_taken` when it is somebody else's, 403 `different_session` when the session ended meanwhile */
  link (provider: Provider, arrival: Arrival, session: LinkingSession, client: ClientDetails): Promise<void>
}

/** What linking takes. */
export interface LinkingParts {
  identities: IdentityStore
  linked: LinkedStore
  present: PresentIdentity
  passwords: Passwords
  audit: AuditStore
}

// Seconds.
const RECENT = 300

export function createLinking ({ identities, linked, present, passwords, audit }: LinkingParts): Linking {
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
