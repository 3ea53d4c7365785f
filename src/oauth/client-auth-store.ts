import type { Database } from '../database/database.ts'

/** A client as authentication needs it. */
export interface KnownClient {
  id: string
  name: string
  /** The audience that it has to itself. */
  audience: string | null
  scopes: string[]
  /** SHA-256 of its secret. */
  secretHash: Buffer
  /** SHA-256 of the secret before, while that is still good. */
  previousHash: Buffer | null
  /** Until when, in Unix seconds by the database's clock. */
  previousEndsAt: number | null
}

/** The queries of clients that ask for something. */
export interface ClientAuthStore {
  /** @returns `undefined` where there is none, or it was removed */
  find (id: string): Promise<KnownClient | undefined>
}

const FIND = {
  name: 'clients.find',
  text: `
    SELECT id, name, audience, scopes, secret_hash AS "secretHash",
      CASE WHEN previous_ends_at > now() THEN previous_hash END AS "previousHash",
      extract(epoch FROM previous_ends_at)::float8 AS "previousEndsAt"
    FROM clients WHERE id = $1 AND removed_at IS NULL`
}

export function createClientAuthStore ({ query }: Pick<Database, 'query'>): ClientAuthStore {
  return {
    async find (id) {
      const [client] = await query<KnownClient>(FIND, [id])
      return client
    }
  }
}
