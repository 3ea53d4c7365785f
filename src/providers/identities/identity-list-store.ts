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

export type IdentityListStore = ReturnType<typeof createIdentityListStore>

/** The queries of an account's identities. */
export function createIdentityListStore ({ prisma }: Pick<Database, 'prisma'>) {
  return {
    list: (userId: string): Promise<LinkedIdentity[]> => prisma.identity.findMany({
      where: { userId },
      select: { id: true, provider: true, subject: true, email: true, emailVerified: true, createdAt: true, lastUsedAt: true },
      orderBy: { id: 'asc' }
    }),

    /** @param providers the ids of the configured providers: identities of others cannot be used to log in */
    unlink: ({ id, userId }: { id: string, userId: string }, providers: readonly string[], client: ClientInfo): Promise<'unlinked' | 'last_way_in' | 'not_found'> => prisma.$transaction(async tx => {
      // The lock comes first: of two requests that each remove one of the last two ways in, the second sees the first.
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
