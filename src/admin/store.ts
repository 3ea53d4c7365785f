import { v7 as uuidv7 } from 'uuid'
import type { Role } from 'countersign-verifier'
import { recordAudit } from '../audit/store.ts'
import type { Database, DbTransaction } from '../database/database.ts'
import { violatedConstraint } from '../database/errors.ts'
import { Problem } from '../errors.ts'
import type { Actor } from '../http/client-info.ts'
import type { Page, PageRequest } from '../http/cursor-pagination.ts'
import { issueMailedLink } from '../one-time-tokens/mailed-secret-store.ts'
import { enqueue } from '../outbox/enqueue.ts'
import { respellFormer } from '../sessions/former-spelling-store.ts'
import type { Invitation } from './prepare-invitation.ts'

/** An account as an admin sees it. */
export type ListedUser = Awaited<ReturnType<Database['prisma']['user']['findMany']>>[number]

/** Who creates accounts; without an actor it is the operator at the command line. */
export type Creator = Partial<Actor>

/** An account that an admin creates for somebody else. */
export interface CreatedUser {
  /** Normalised. */
  email: string
  name: string | null
  role: Role
}

export type AdminStore = ReturnType<typeof createAdminStore>

export function createAdminStore ({ prisma, query }: Pick<Database, 'prisma' | 'query'>) {
  return {
    findUser: (id: string): Promise<ListedUser | null> => prisma.user.findUnique({ where: { id } }),

    /**
     * Creates an account that has no password yet.
     *
     * @param invitation by which its owner chooses one
     * @throws Problem 409 when the address is taken
     */
    async createUser (created: CreatedUser, { actorId, ...client }: Creator, invitation?: Invitation): Promise<ListedUser> {
      await respellFormer({ query }, created.email)
      try {
        return await prisma.$transaction(async tx => {
          const user = await tx.user.create({ data: { id: uuidv7(), ...created } })
          if (invitation !== undefined) await sendInvitation(tx, user, invitation)
          await recordAudit(tx, { action: 'create', outcome: 'success', actorId, subjectId: user.id, ...client, detail: { role: user.role, ...invitation !== undefined && { invited: true } } })
          return user
        })
      } catch (error) {
        throw violatedConstraint(error) === undefined ? error : new Problem('email_taken', { cause: error })
      }
    },

    /**
     * Invites the owner of an account, which voids earlier invitations.
     *
     * @param prepare makes the invitation
     * @returns the invitation; `undefined` where there is no such account
     * @throws Problem 403 `account_disabled`
     */
    invite: (id: string, { actorId, ...client }: Creator, prepare: (user: Pick<ListedUser, 'email' | 'locale'>) => Invitation): Promise<Invitation | undefined> => prisma.$transaction(async tx => {
      // The lock keeps the account from getting another address meanwhile.
      await tx.$queryRaw`SELECT 1 FROM users WHERE id = ${id}::uuid FOR NO KEY UPDATE`
      const user = await tx.user.findUnique({ where: { id } })
      if (user === null) return undefined
      if (user.disabledAt !== null) throw new Problem('account_disabled')
      const invitation = prepare(user)
      await sendInvitation(tx, user, invitation)
      await recordAudit(tx, { action: 'invite', outcome: 'success', actorId, subjectId: user.id, ...client })
      return invitation
    }),

    /** Lists accounts, the oldest first. */
    async listUsers ({ limit, after }: PageRequest): Promise<Page<ListedUser>> {
      // Ids are UUID v7: unique, and in the order of creation.
      const found = await prisma.user.findMany({
        ...after !== undefined && { where: { id: { gt: after } } },
        orderBy: { id: 'asc' },
        take: limit + 1
      })
      const items = found.slice(0, limit)
      return { items, next: found.length > limit ? items.at(-1)?.id : undefined }
    }
  }
}

async function sendInvitation (tx: DbTransaction, { id: userId, email }: Pick<ListedUser, 'id' | 'email'>, { token, life, mail }: Invitation): Promise<void> {
  await issueMailedLink(tx, { purpose: 'invitation', token, userId, data: { email }, life })
  await enqueue(tx, mail)
}
