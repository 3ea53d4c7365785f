import { Problem } from '../errors.ts'
import type { AuditStore } from '../audit/store.ts'
import type { ExportStore } from './export-store.ts'

export interface ExportAccountDeps {
  store: ExportStore
  audit: Pick<AuditStore, 'flush'>
  /** Lists the identities of an account, in the API's form. */
  listIdentities: (userId: string) => Promise<object[]>
}

export type ExportAccount = ReturnType<typeof createExportAccount>

/**
 * Writes what is stored about an account as JSON, piece by piece: an audit trail may be long. What is read first is read
 * before anything is returned, so that a failure is still answered as one.
 */
export function createExportAccount ({ store, audit, listIdentities }: ExportAccountDeps) {
  /** @throws Problem 401 `invalid_token` where the account is gone */
  return async function exportAccount (userId: string): Promise<AsyncGenerator<string>> {
    // What cannot be written now is missing, and must not keep anybody from the rest.
    await audit.flush().catch(() => {})
    const account = await store.findAccount(userId)
    if (account === undefined) throw new Problem('invalid_token')
    const head = { exportedAt: new Date().toISOString(), account, identities: await listIdentities(userId) }
    return write(JSON.stringify(head), { sessions: store.sessions(userId), events: store.events(userId) })
  }
}

async function * write (head: string, lists: Readonly<Record<string, AsyncIterable<object>>>): AsyncGenerator<string> {
  yield head.slice(0, -1)
  for (const [name, items] of Object.entries(lists)) {
    yield `,"${name}":[`
    let separator = ''
    for await (const item of items) {
      yield separator + JSON.stringify(item)
      separator = ','
    }
    yield ']'
  }
  yield '}'
}
