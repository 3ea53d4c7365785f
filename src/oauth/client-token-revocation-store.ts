import type { Revocation } from 'countersign-verifier/internal'
import type { Database } from '../database/database.ts'
import { statement } from '../database/statement.ts'
import { MAX_SESSION_ROWS, revocationSql, toRevocation, type LedgerRow } from '../revocation/ledger-writer.ts'

export type ClientTokenRevocationStore = ReturnType<typeof createClientTokenRevocationStore>

// Where the client would then have more rows than are kept, its version rises, and one row for the client replaces them all.
// While that row lives, each further token raises the version again: otherwise a client that takes and revokes tokens without
// end would have every verifier remember them all for an hour.
const REVOKE = statement('clients.revoke-token', `
  WITH owner AS MATERIALIZED (
    SELECT id FROM clients WHERE id = :clientId FOR NO KEY UPDATE
  ), live AS (
    SELECT kind, min_version FROM revocations WHERE client_id = :clientId AND expires_at > now()
  ), crowded AS (
    SELECT id FROM owner
    WHERE (SELECT count(*) FROM live WHERE kind = 'session') >= ${MAX_SESSION_ROWS} OR EXISTS (SELECT 1 FROM live WHERE min_version IS NOT NULL)
  ), raised AS (
    UPDATE clients SET version = version + 1 FROM crowded WHERE clients.id = crowded.id
    RETURNING clients.id, clients.version
  ), collapsed AS (
    DELETE FROM revocations USING raised
    WHERE revocations.client_id = raised.id AND (revocations.kind = 'session' OR revocations.min_version < raised.version)
  ), ${revocationSql(`
    SELECT 'session' AS kind, :tokenId::text AS subject, NULL AS user_id, NULL::int AS min_version WHERE NOT EXISTS (SELECT 1 FROM raised)
    UNION ALL
    SELECT 'client', id, NULL, version FROM raised`, ':clientId')}
  SELECT * FROM announced`)

export function createClientTokenRevocationStore ({ query }: Pick<Database, 'query'>) {
  return {
    /**
     * Revokes a client's token by its `jti`: in the ledger it is a session of its own. Of many, all tokens that the client has
     * are revoked; those that it gets from then on are valid.
     */
    async revoke (tokenId: string, clientId: string): Promise<Revocation[]> {
      const rows = await query<LedgerRow>(REVOKE, { tokenId, clientId })
      return rows.flatMap(toRevocation)
    }
  }
}
