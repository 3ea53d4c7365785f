import { v7 as uuidv7 } from 'uuid'
import type { Revocation } from 'countersign-verifier'
import { recordAudit } from '../../audit/store.ts'
import type { Database } from '../../database/database.ts'
import { violatedConstraint } from '../../database/errors.ts'
import type { ClientInfo } from '../../http/client-info.ts'
import { endSessions, raiseVersion } from '../../sessions/end-session-store.ts'
import type { PresentedIdentity } from './identity-store.ts'

/** An account that went to whom its address belongs. */
export interface Reclaimed {
  identityId: string
  /** What has to be put into force here, now that it is stored. */
  revocations: Revocation[]
}

/** The query of taking an account over. */
export interface ReclaimUnverifiedStore {
  /**
   * Gives an account whose address was never verified to whoever has proved it. Whoever registered it may be somebody
   * else: so nothing by which they could come in remains, neither password, sessions, identities nor secrets sent out.
   *
   * @returns `undefined` when the address has been verified meanwhile, the account disabled or given a role, or the identity linked
   */
  reclaim (account: { id: string, email: string, name: string | null }, identity: PresentedIdentity, by: ClientInfo): Promise<Reclaimed | undefined>
}

export function createReclaimUnverifiedStore ({ prisma }: Pick<Database, 'prisma'>): ReclaimUnverifiedStore {
  return {
    reclaim: ({ id: userId, email, name }, { provider, issuer, subject, emailVerified, tokens }, client) => prisma.$transaction(async tx => {
      const { count } = await tx.user.updateMany({
        where: { id: userId, email, emailVerified: false, role: 'user', disabledAt: null },
        data: { emailVerified: true, passwordHash: null, name }
      })
      if (count === 0) return undefined
      await endSessions(tx, userId, 'claimed')
      await tx.identity.deleteMany({ where: { userId } })
      await tx.oneTimeToken.deleteMany({ where: { userId } })
      const { id: identityId } = await tx.identity.create({
        data: {
          id: uuidv7(),
          userId,
          provider,
          issuer,
          subject,
          email,
          emailVerified,
          lastUsedAt: new Date(),
          ...tokens !== null && {
            accessToken: tokens.accessToken,
            refreshToken: tokens.refreshToken,
            tokenExpiresAt: tokens.expiresIn === null ? null : new Date(Date.now() + tokens.expiresIn * 1000),
            tokenScope: tokens.scope
          }
        }
      })
      for (const action of ['account_claim', 'identity_link'] as const) await recordAudit(tx, { action, outcome: 'success', actorId: userId, subjectId: userId, detail: { provider }, ...client })
      return { identityId, revocations: await raiseVersion(tx, userId) }
    }).catch(giveWay)
  }
}

// Another request of the same identity was quicker.
function giveWay (error: unknown): undefined {
  if (violatedConstraint(error) === undefined) throw error
  return undefined
}
