import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { createRevocationSet, type RevocationSet } from 'countersign-verifier/internal'
import type { Database } from '../../src/database/database.ts'
import { statement } from '../../src/database/statement.ts'
import { createLedgerReader, type LedgerReader } from '../../src/revocation/ledger-reader.ts'
import { followLedger, type LedgerSync, type LedgerSyncDeps } from '../../src/revocation/ledger-sync.ts'
import { revocationSql } from '../../src/revocation/ledger-writer.ts'
import { openTestDatabase } from '../support/database.ts'

/** An instance's view of the ledger, without the service around it. */
export interface FollowingInstance {
  readonly ledgerSync: LedgerSync
  readonly set: RevocationSet
  readonly warnings: string[]
  readonly database: Database
  /** Writes a session into the ledger, as ending it does. @returns its id */
  revoke (): Promise<string>
}

/** Follows the ledger of a fresh database until the test ends. */
export async function follow (t: Test, { database, ...parts }: Partial<LedgerSyncDeps> & { database?: Database } = {}): Promise<FollowingInstance> {
  const opened = database ?? await openTestDatabase(t)
  const set = createRevocationSet()
  const warnings: string[] = []
  const log = { warn: (_details: object, message: string) => { warnings.push(message) } }
  const ledgerSync = await followLedger({ ledger: createLedgerReader(opened), database: opened, set, log, ...parts })
  t.teardown(() => ledgerSync.close())
  return { ledgerSync, set, warnings, database: opened, revoke: () => revokeIn(opened) }
}

/** Writes a session into the ledger of a database, in a transaction of its own. @returns its id */
export async function revokeIn ({ query }: Pick<Database, 'query'>): Promise<string> {
  const id = randomUUID()
  await query(REVOKE, { id })
  return id
}

/** Writes the session `:id` into the ledger. */
export const REVOKE = statement('test.revoke', `
  WITH ${revocationSql("SELECT 'session' AS kind, :id::text AS subject, NULL AS user_id, NULL AS min_version")} SELECT * FROM announced`)

/** Reads a ledger, from a cursor or from its beginning. */
export async function readFrom (ledger: LedgerReader, since?: string): Promise<{ ids: string[], cursor: string }> {
  const ids: string[] = []
  const { cursor } = await ledger.read(rows => { ids.push(...rows.map(({ subject }) => subject)) }, since)
  return { ids, cursor }
}
