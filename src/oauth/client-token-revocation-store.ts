import type { Revocation } from 'countersign-verifier/internal'
import type { Database } from '../database/database.ts'
import { revocationSql, toRevocation, type LedgerRow } from '../revocation/ledger-writer.ts'

/** The queries of revoking one token of a client. */
export interface ClientTokenRevocationStore {
  /** Notes a token by its `jti`: to the ledger, a client's token is a session of its own. */
  note (tokenId: string): Promise<Revocation[]>
}

const NOTE = {
  name: 'clients.revoke-token',
  text: `WITH ${revocationSql("SELECT 'session' AS kind, $1::text AS subject, NULL AS user_id, NULL AS min_version")} SELECT * FROM announced`
}

export function createClientTokenRevocationStore ({ query }: Pick<Database, 'query'>): ClientTokenRevocationStore {
  return {
    async note (tokenId) {
      const rows = await query<LedgerRow>(NOTE, [tokenId])
      return rows.flatMap(toRevocation)
    }
  }
}
