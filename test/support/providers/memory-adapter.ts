import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

/** The in-memory storage of one provider. */
export interface MemoryAdapter {
  readonly adapter: AdapterFactory
  /** Deletes everything of a kind: `RefreshToken`, `AuthorizationCode`. */
  clear (kind: string): void
}

export function createMemoryAdapter (): MemoryAdapter {
  const kinds = new Map<string, Map<string, AdapterPayload>>()

  function itemsOf (kind: string): Map<string, AdapterPayload> {
    const found = kinds.get(kind) ?? new Map<string, AdapterPayload>()
    kinds.set(kind, found)
    return found
  }

  function adapter (kind: string): Adapter {
    const items = itemsOf(kind)
    const by = (is: (item: AdapterPayload) => boolean) => [...items.values()].find(is)
    return {
      async upsert (id, payload) { items.set(id, payload) },
      async find (id) { return items.get(id) },
      async findByUid (uid) { return by(item => item.uid === uid) },
      async findByUserCode (userCode) { return by(item => item.userCode === userCode) },
      async destroy (id) { items.delete(id) },
      async consume (id) {
        const item = items.get(id)
        if (item !== undefined) item.consumed = Math.floor(Date.now() / 1000)
      },
      async revokeByGrantId (grantId) {
        for (const [id, item] of items) if (item.grantId === grantId) items.delete(id)
      }
    }
  }

  return { adapter, clear: kind => itemsOf(kind).clear() }
}
