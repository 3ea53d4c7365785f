import type { Database } from '../database/database.ts'
import type { Audience } from './audience-keys.ts'

/** The queries of audiences. */
export interface AudienceStore {
  /** @returns `undefined` where no client has it */
  find (name: string): Promise<Audience | undefined>
}

const FIND = {
  name: 'tokens.find-audience',
  text: 'SELECT audience AS name, key_version AS "keyVersion" FROM clients WHERE audience = $1 AND removed_at IS NULL'
}

export function createAudienceStore ({ query }: Pick<Database, 'query'>): AudienceStore {
  return {
    async find (name) {
      const [audience] = await query<Audience>(FIND, [name])
      return audience
    }
  }
}
