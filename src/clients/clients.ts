import type { InvalidToken } from 'countersign-verifier'
import type { Database } from '../database/database.ts'
import type { Tokens } from '../tokens/tokens.ts'
import { createClientAuthentication } from './authenticate-client.ts'
import { createClientStore } from './store.ts'

/** What clients take. */
export interface ClientsParts {
  database: Pick<Database, 'query'>
  tokens: Tokens
  /** Told of each refused token. */
  onRefused (error: InvalidToken): void
}

/** Everything the service does with other services. */
export function createClients ({ database, tokens, onRefused }: ClientsParts) {
  const { audiences, verifyClientToken } = tokens
  return createClientAuthentication({ clients: createClientStore(database), audience: audiences.own.name, verifyClientToken, onRefused })
}
