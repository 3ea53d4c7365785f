import type { Database } from '../database/database.ts'
import { afterwardsSql } from '../database/afterwards-sql.ts'
import { statement } from '../database/statement.ts'
import { mayBeLost, type SessionName } from './end-session-store.ts'

const NOT_ENDED = afterwardsSql('ended_at IS NULL')

// By one index each: a condition that joins them with OR might read the whole table, and so might a join with the list of hashes.
// That of former credentials has only rows with one, which is to be said.
const FIND_NOT_ENDED = statement('sessions.find-not-ended', `
  SELECT name FROM unnest(:ids::text[]) AS names(name) WHERE coalesce((SELECT ended_at IS NULL FROM sessions WHERE id = name::uuid), name = ANY(:recent::text[]))
  UNION ALL
  SELECT encode(secret_hash, 'hex') FROM sessions WHERE secret_hash = ANY(:hashes::text[]::bytea[]) AND ${NOT_ENDED}
  UNION ALL
  SELECT encode(former_credential, 'hex') FROM sessions WHERE former_credential = ANY(:hashes::text[]::bytea[]) AND former_credential IS NOT NULL AND ${NOT_ENDED}`)

export type LiveSessionStore = ReturnType<typeof createLiveSessionStore>

export function createLiveSessionStore ({ query }: Pick<Database, 'query'>) {
  return {
    /**
     * @returns for each name whether there may be a session of it that has not ended. One that was opened lately, that a token
     *   names and that the database does not know, is such: a failover may have lost it, and access tokens of it may go on.
     */
    async areNotEnded (names: readonly SessionName[]): Promise<boolean[]> {
      const texts = names.map(name => 'secretHash' in name ? name.secretHash.toString('hex') : name.sessionId)
      const hashes = names.flatMap(name => 'secretHash' in name ? [`\\x${name.secretHash.toString('hex')}`] : [])
      const ids = names.flatMap(name => 'secretHash' in name ? [] : [name.sessionId])
      const found = new Set((await query<{ name: string }>(FIND_NOT_ENDED, { hashes, ids, recent: ids.filter(mayBeLost) })).map(({ name }) => name))
      return texts.map(text => found.has(text))
    }
  }
}
