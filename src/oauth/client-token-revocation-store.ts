import type { Revocation } from 'countersign-verifier/internal'
import type { Database } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import { revocationSql, toRevocation, type LedgerRow } from '../revocation/ledger-writer.ts'

export type ClientTokenRevocationStore = ReturnType<typeof createClientTokenRevocationStore>

const REVOKE = statement('clients.revoke-token', `
  WITH ${revocationSql("SELECT 'session' AS kind, :tokenId::text AS subject, NULL AS user_id, NULL AS min_version")} SELECT * FROM announced`)

export function createClientTokenRevocationStore ({ query }: Pick<Database, 'query'>) {
  return {
    /** Revokes a client's token by its `jti`: in the ledger it is a session of its own. */
    async revoke (tokenId: string): Promise<Revocation[]> {
      const rows = await query<LedgerRow>(REVOKE, { tokenId })
      return rows.flatMap(toRevocation)
    }
  }
}
