import { recordAudit } from '../../audit/store.ts'
import type { Database } from '../../database/database.ts'
import type { ClientInfo } from '../../http/client-info.ts'

/** An identity as its owner sees it. */
export interface LinkedIdentity {
  id: string
  provider: string
  subject: string
  email: string | null
  emailVerified: boolean
  createdAt: Date
  lastUsedAt: Date | null
}

/** The queries of an account's identities. */
export interface IdentityListStore {
  list (userId: string): Promise<LinkedIdentity[]>
  /** @param providers those that one can sign in with at present: other identities are no way in */
  unlink (identity: { id: string, userId: string }, providers: readonly string[], by: ClientInfo): Promise<'unlinked' | 'last_way_in' | 'not_found'>
}

export function createIdentityListStore ({ prisma }: Pick<Database, 'prisma'>): IdentityListStore {
  return {
    list: userId => prisma.identity.findMany({
      where: { userId },
      select: { id: true, provider: true, subject: true, email: true, emailVerified: true, createdAt: true, lastUsedAt: true },
      orderBy: { id: 'asc' }
    }),

    unlink: ({ id, userId }, providers, client) => prisma.$transaction(async tx => {
      // Locked first and asked after: of two who each take the other's last but one, the second sees what the first did.
      const [owner] = await tx.$queryRaw<Array<{ hasPassword: boolean }>>`
        SELECT password_hash IS NOT NULL AS "hasPassword" FROM users WHERE id = ${userId}::uuid FOR NO KEY UPDATE`
      const identity = await tx.identity.findFirst({ where: { id, userId }, select: { provider: true } })
      if (owner === undefined || identity === null) return 'not_found'
      const others = await tx.identity.count({ where: { userId, id: { not: id }, provider: { in: [...providers] } } })
      if (!owner.hasPassword && others === 0) return 'last_way_in'
      await tx.identity.delete({ where: { id } })
      await recordAudit(tx, { action: 'identity_unlink', outcome: 'success', actorId: userId, subjectId: userId, detail: { provider: identity.provider }, ...client })
      return 'unlinked'
    })
  }
}
