import { v7 as uuidv7 } from 'uuid'
import type { Revocation } from 'countersign-verifier'
import { recordAudit } from '../../audit/store.ts'
import type { Database } from '../../database/database.ts'
import { bindValues } from '../../database/statement.ts'
import { violatedConstraint } from '../../database/errors.ts'
import type { ClientInfo } from '../../http/client-info.ts'
import { raiseVersion } from '../../sessions/end-session-store.ts'
import { removeWaysIn } from '../../sessions/remove-ways-in-store.ts'
import { LINK_TO_RECLAIMED } from './identity-statements.ts'
import { identityValues, type PresentedIdentity } from './identity-store.ts'

/** An account that was given to the owner of its address. */
export interface Reclaimed {
  identityId: string
  /** To be applied on this instance, now that they are stored. */
  revocations: Revocation[]
}

export type ReclaimUnverifiedStore = ReturnType<typeof createReclaimUnverifiedStore>

export function createReclaimUnverifiedStore ({ prisma }: Pick<Database, 'prisma'>) {
  return {
    /**
     * Gives an account whose address was never verified to the person who has proved it. Somebody else may have registered
     * it: so every way in is removed, the password, sessions, identities and one-time tokens.
     *
     * @returns `undefined` when the address was verified meanwhile, the account disabled or given another role, or the identity linked
     */
    reclaim: (userId: string, identity: PresentedIdentity & { email: string }, name: string | null, client: ClientInfo): Promise<Reclaimed | undefined> => prisma.$transaction(async tx => {
      const { email, provider } = identity
      // An account that nothing opens yet was made by an admin: its name is no stranger's, and stays.
      const unopened = await tx.user.findFirst({ where: { id: userId, passwordHash: null, identities: { none: {} } }, select: { name: true } })
      const { count } = await tx.user.updateMany({
        where: { id: userId, email, emailVerified: false, role: 'user', disabledAt: null, ...unopened !== null && { passwordHash: null } },
        // Whoever registered it may have had it deleted too: that is undone.
        data: { emailVerified: true, passwordHash: null, name: unopened?.name ?? name, deletionDueAt: null }
      })
      if (count === 0) return undefined
      await removeWaysIn(tx, userId)
      const identityId = uuidv7()
      await tx.$queryRawUnsafe(LINK_TO_RECLAIMED.text, ...bindValues(LINK_TO_RECLAIMED, { ...identityValues(identity), identityId, userId }))
      for (const action of ['account_claim', 'identity_link'] as const) await recordAudit(tx, { action, outcome: 'success', actorId: userId, subjectId: userId, detail: { provider }, ...client })
      return { identityId, revocations: await raiseVersion(tx, userId) }
    }).catch(undefinedIfTaken)
  }
}

// Another request with the same identity was faster.
function undefinedIfTaken (error: unknown): undefined {
  if (violatedConstraint(error) === undefined) throw error
  return undefined
}
