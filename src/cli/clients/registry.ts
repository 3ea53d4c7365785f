import { createClientRegistry, type ClientRegistry, type RegisteredClient } from '../../oauth/client-registry-store.ts'
import type { Config } from '../../config.ts'
import { deriveAudienceKeys } from '../../tokens/audience-keys.ts'
import { withDatabase } from '../with-database.ts'

/** Opens the registry of clients for one command. */
export function withRegistry<T> (use: (clients: ClientRegistry, config: Config) => Promise<T>): Promise<T> {
  return withDatabase((database, config) => use(createClientRegistry(database), config))
}

/** A client as the commands print it. */
export function present ({ id, name, audience, scopes, createdAt, secretCreatedAt, previousEndsAt }: RegisteredClient) {
  return {
    id,
    name,
    audience,
    scopes,
    createdAt: createdAt.toISOString(),
    secretCreatedAt: secretCreatedAt.toISOString(),
    previousSecretEndsAt: previousEndsAt?.toISOString() ?? null
  }
}

/** The keys of an audience, one for each secret in the ring of `COUNTERSIGN_SECRET`; the first one signs. */
export function audienceKeys ({ audience, keyVersion }: Pick<RegisteredClient, 'audience' | 'keyVersion'>, { secrets }: Pick<Config, 'secrets'>): string[] {
  return audience === null ? [] : deriveAudienceKeys(secrets, { name: audience, keyVersion })
}

/** @throws Error where there is no such client */
export function known<T> (id: string, client: T | undefined): T {
  if (client === undefined) throw new Error(`No service has the id ${id}: see countersign clients list.`)
  return client
}
