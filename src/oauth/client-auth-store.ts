import type { Database } from '../database/database.ts'
import { statement } from '../database/statement.ts'

/** A client, as authentication needs it. */
export interface KnownClient {
  id: string
  name: string
  /** The audience that belongs to it alone. */
  audience: string | null
  scopes: string[]
  version: number
  /** SHA-256 of its secret. */
  secretHash: Buffer
  /** SHA-256 of the previous secret, while that is still accepted. */
  previousHash: Buffer | null
  /** When the previous secret expires, in Unix seconds by the database's clock. */
  previousEndsAt: number | null
}

export type ClientAuthStore = ReturnType<typeof createClientAuthStore>

const COLUMNS = `
  id, name, audience, scopes, version, secret_hash AS "secretHash",
  CASE WHEN previous_ends_at > now() THEN previous_hash END AS "previousHash",
  extract(epoch FROM previous_ends_at)::float8 AS "previousEndsAt"`

const FIND = statement('clients.find', `SELECT ${COLUMNS} FROM clients WHERE id = :id AND removed_at IS NULL`)
const FIND_ALL = statement('clients.find-all', `SELECT ${COLUMNS} FROM clients WHERE id = ANY (:ids::text[]) AND removed_at IS NULL`)

export function createClientAuthStore ({ query }: Pick<Database, 'query'>) {
  return {
    /** @returns `undefined` for an unknown or removed client */
    async find (id: string): Promise<KnownClient | undefined> {
      const [client] = await query<KnownClient>(FIND, { id })
      return client
    },

    /** Finds several at once, those that are there. */
    findAll: (ids: readonly string[]): Promise<KnownClient[]> => query<KnownClient>(FIND_ALL, { ids: [...ids] })
  }
}
