import type { Database } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import type { Audience } from './audience-keys.ts'

export type AudienceStore = ReturnType<typeof createAudienceStore>

const FIND = statement('tokens.find-audience', `
  SELECT audience AS name, key_version AS "keyVersion" FROM clients WHERE audience = :name AND removed_at IS NULL`)

export function createAudienceStore ({ query }: Pick<Database, 'query'>) {
  return {
    /** @returns `undefined` where no client has the audience */
    async find (name: string): Promise<Audience | undefined> {
      const [audience] = await query<Audience>(FIND, { name })
      return audience
    }
  }
}
