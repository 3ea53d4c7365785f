import { recordAudit, type AuditAction } from '../audit/store.ts'
import type { Database, DbTransaction } from '../database/database.ts'
import { violatedConstraint } from '../database/errors.ts'
import { recordRevocation } from '../revocation/ledger-writer.ts'

/** A client about to be registered. */
export interface NewClient {
  id: string
  name: string
  /** The audience that it is to have to itself. */
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
  /** Which key of its audience signs. */
  keyVersion: number
  scopes: string[]
  createdAt: Date
  secretCreatedAt: Date
  /** Until when the secret before is good. */
  previousEndsAt: Date | null
}

/**
 * What the operator does with clients. Each change writes the audit trail in its transaction. What takes an id gives
 * `undefined` where no client has it.
 */
export interface ClientRegistry {
  /** @throws Error where somebody has the audience */
  create (client: NewClient): Promise<RegisteredClient>
  /** All that were not removed, the oldest first. */
  list (): Promise<RegisteredClient[]>
  find (id: string): Promise<RegisteredClient | undefined>
  /** Replaces the secret; the one before stays good for `overlap` seconds, and the one before that ends at once. */
  replaceSecret (id: string, change: { secretHash: Buffer, overlap: number }): Promise<RegisteredClient | undefined>
  /** Lets the next key of the client's audience sign. */
  promoteKey (id: string): Promise<RegisteredClient | undefined>
  /** Ends the client, its tokens included. */
  remove (id: string): Promise<RegisteredClient | undefined>
}

const PRESENTED = { id: true, name: true, audience: true, keyVersion: true, scopes: true, createdAt: true, secretCreatedAt: true, previousEndsAt: true } as const

export function createClientRegistry ({ prisma }: Pick<Database, 'prisma'>): ClientRegistry {
  const live = (id: string) => ({ id, removedAt: null })

  // A change that finds no row has nobody to tell of.
  async function change (id: string, action: AuditAction, make: (tx: DbTransaction) => Promise<number>): Promise<RegisteredClient | undefined> {
    return await prisma.$transaction(async tx => {
      if (await make(tx) === 0) return undefined
      await recordAudit(tx, { action, outcome: 'success', detail: { clientId: id } })
      return await tx.client.findUnique({ where: { id }, select: PRESENTED }) ?? undefined
    })
  }

  return {
    async create ({ secretHash, scopes, ...client }) {
      try {
        return await prisma.$transaction(async tx => {
          const keyVersion = await nextKeyVersion(tx, client.audience)
          const created = await tx.client.create({ data: { ...client, keyVersion, scopes: [...scopes], secretHash: Uint8Array.from(secretHash) }, select: PRESENTED })
          await recordAudit(tx, { action: 'client_create', outcome: 'success', detail: { clientId: client.id, name: client.name } })
          return created
        })
      } catch (error) {
        throw violatedConstraint(error) === undefined ? error : audienceTaken(client.audience)
      }
    },

    list: () => prisma.client.findMany({ where: { removedAt: null }, select: PRESENTED, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] }),

    find: async id => await prisma.client.findUnique({ where: live(id), select: PRESENTED }) ?? undefined,

    replaceSecret: (id, { secretHash, overlap }) => change(id, 'client_rotate', tx => tx.$executeRaw`
      UPDATE clients SET secret_hash = ${Uint8Array.from(secretHash)}, secret_created_at = now(),
        previous_hash = secret_hash, previous_ends_at = now() + make_interval(secs => ${overlap}::float8)
      WHERE id = ${id} AND removed_at IS NULL`),

    promoteKey: id => change(id, 'client_key', async tx => {
      const { count } = await tx.client.updateMany({ where: { ...live(id), audience: { not: null } }, data: { keyVersion: { increment: 1 } } })
      return count
    }),

    remove: id => change(id, 'client_remove', async tx => {
      const count = await tx.$executeRaw`UPDATE clients SET removed_at = now() WHERE id = ${id} AND removed_at IS NULL`
      if (count > 0) await recordRevocation(tx, { kind: 'client', subject: id })
      return count
    })
  }
}

// Whoever had the audience before still has its keys: the next owner's are new. Of two that ask at once, the unique
// index lets one have it.
async function nextKeyVersion (tx: DbTransaction, audience: string | null): Promise<number> {
  if (audience === null) return 1
  if (await tx.client.count({ where: { audience, removedAt: null } }) > 0) throw audienceTaken(audience)
  const { _max: { keyVersion } } = await tx.client.aggregate({ where: { audience }, _max: { keyVersion: true } })
  // Its holder may have been given the next key too.
  return keyVersion === null ? 1 : keyVersion + 2
}

function audienceTaken (audience: string | null): Error {
  return new Error(`Another client has the audience ${audience}: remove it first, or choose another.`)
}
