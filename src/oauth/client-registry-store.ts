import { recordAudit, type AuditAction } from '../audit/store.ts'
import type { Database, DbTransaction } from '../database/database.ts'
import { violatedConstraint } from '../database/errors.ts'
import { recordRevocation } from '../revocation/ledger-writer.ts'

/** A client about to be registered. */
export interface NewClient {
  id: string
  name: string
  /** The audience that will belong to it alone. */
  audience: string | null
  scopes: readonly string[]
  /** SHA-256 of its secret. */
  secretHash: Buffer
}

/** A registered client, without its secrets. */
export interface RegisteredClient {
  id: string
  name: string
  audience: string | null
  /** Which of its audience's keys signs. */
  keyVersion: number
  scopes: string[]
  createdAt: Date
  secretCreatedAt: Date
  /** When the previous secret expires. */
  previousEndsAt: Date | null
}

export type ClientRegistry = ReturnType<typeof createClientRegistry>

const COLUMNS = { id: true, name: true, audience: true, keyVersion: true, scopes: true, createdAt: true, secretCreatedAt: true, previousEndsAt: true } as const

/**
 * The operator's changes to clients. Each writes the audit trail in its transaction. Functions that take an id return
 * `undefined` where no client has it.
 */
export function createClientRegistry ({ prisma }: Pick<Database, 'prisma'>) {
  const live = (id: string) => ({ id, removedAt: null })

  // Where no row was changed, there is nothing to record.
  async function change (id: string, action: AuditAction, make: (tx: DbTransaction) => Promise<number>): Promise<RegisteredClient | undefined> {
    return await prisma.$transaction(async tx => {
      if (await make(tx) === 0) return undefined
      await recordAudit(tx, { action, outcome: 'success', detail: { clientId: id } })
      return await tx.client.findUnique({ where: { id }, select: COLUMNS }) ?? undefined
    })
  }

  return {
    /** @throws Error where another client has the audience */
    async create ({ secretHash, scopes, ...client }: NewClient): Promise<RegisteredClient> {
      try {
        return await prisma.$transaction(async tx => {
          const keyVersion = await nextKeyVersion(tx, client.audience)
          const created = await tx.client.create({ data: { ...client, keyVersion, scopes: [...scopes], secretHash: Uint8Array.from(secretHash) }, select: COLUMNS })
          // Looked at again: meanwhile another client may have got the audience, and its next key.
          if (await countOwners(tx, client.audience) > 1) throw audienceTaken(client.audience)
          await recordAudit(tx, { action: 'client_create', outcome: 'success', detail: { clientId: client.id, name: client.name } })
          return created
        })
      } catch (error) {
        throw violatedConstraint(error) === undefined ? error : audienceTaken(client.audience)
      }
    },

    /** Lists all clients that were not removed, the oldest first. */
    list: (): Promise<RegisteredClient[]> => prisma.client.findMany({ where: { removedAt: null }, select: COLUMNS, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] }),

    find: async (id: string): Promise<RegisteredClient | undefined> => await prisma.client.findUnique({ where: live(id), select: COLUMNS }) ?? undefined,

    /** Replaces the secret. The previous one stays valid for `overlap` seconds; the one before that becomes invalid at once. */
    replaceSecret: (id: string, { secretHash, overlap }: { secretHash: Buffer, overlap: number }) => change(id, 'client_rotate', tx => tx.$executeRaw`
      UPDATE clients SET secret_hash = ${Uint8Array.from(secretHash)}, secret_created_at = now(),
        previous_hash = secret_hash, previous_ends_at = now() + make_interval(secs => ${overlap}::float8)
      WHERE id = ${id} AND removed_at IS NULL`),

    /** Makes the next key of the client's audience sign. */
    promoteKey: (id: string) => change(id, 'client_key', async tx => {
      const { count } = await tx.client.updateMany({ where: { ...live(id), audience: { not: null } }, data: { keyVersion: { increment: 1 } } })
      return count
    }),

    /** Removes the client, and revokes its tokens. */
    remove: (id: string) => change(id, 'client_remove', async tx => {
      const count = await tx.$executeRaw`UPDATE clients SET removed_at = now() WHERE id = ${id} AND removed_at IS NULL`
      if (count > 0) await recordRevocation(tx, { kind: 'client', subject: id })
      return count
    })
  }
}

// A previous owner of the audience still has its keys, so the next owner gets new ones. The unique index decides between
// concurrent requests.
async function nextKeyVersion (tx: DbTransaction, audience: string | null): Promise<number> {
  if (audience === null) return 1
  if (await countOwners(tx, audience) > 0) throw audienceTaken(audience)
  const { _max: { keyVersion } } = await tx.client.aggregate({ where: { audience }, _max: { keyVersion: true } })
  // The previous owner may have been given the next key too.
  return keyVersion === null ? 1 : keyVersion + 2
}

async function countOwners (tx: DbTransaction, audience: string | null): Promise<number> {
  return audience === null ? 0 : await tx.client.count({ where: { audience, removedAt: null } })
}

function audienceTaken (audience: string | null): Error {
  return new Error(`Another client has the audience ${audience}: remove it first, or choose another.`)
}
