import type { SessionCache } from './redis-session-cache.ts'

/** Deletes the copies of sessions that have ended. Nobody waits for it: a copy that stays opens nothing, and ends by itself. */
export type ForgetSessions = (secretHashes: readonly Buffer[]) => void

export function createForgetSessions (caches: ReadonlyArray<Pick<SessionCache, 'delete'>>): ForgetSessions {
  return function forgetSessions (secretHashes) {
    for (const cache of caches) for (const hash of secretHashes) cache.delete(hash).catch(() => {})
  }
}
