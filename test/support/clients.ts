import { randomBytes } from 'node:crypto'
import { hashClientSecret } from '../../src/oauth/client-secret.ts'
import { createClientRegistry, type ClientRegistry } from '../../src/oauth/client-registry-store.ts'
import type { Database } from '../../src/database/database.ts'

/** A client that is registered, and what it shows itself by. */
export interface TestClient {
  readonly id: string
  readonly secret: string
  /** As HTTP Basic. */
  readonly authorization: string
  readonly registry: ClientRegistry
}

/** Registers a client. */
export async function registerClient (database: Pick<Database, 'prisma'>, ...scopes: string[]): Promise<TestClient> {
  const registry = createClientRegistry(database)
  const id = `client_${randomBytes(12).toString('hex')}`
  const secret = randomBytes(32).toString('base64url')
  await registry.create({ id, name: 'Cart', audience: null, scopes, secretHash: hashClientSecret(secret) })
  return { id, secret, authorization: basic(id, secret), registry }
}

export { hashClientSecret as hashOf }

export function basic (id: string, secret: string): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
}
