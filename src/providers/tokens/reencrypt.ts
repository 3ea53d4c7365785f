import type { Encryption } from '../../tokens/encryption.ts'
import { contextOf } from './token-vault.ts'
import type { OldSecretCount, ReencryptStore, OldTokens } from './reencrypt-store.ts'

/** The result of re-encrypting. */
export interface Reencryption {
  /** How many identities were re-encrypted under the current secret. */
  reencrypted: number
  /** What still needs an old secret. At zero, it can be dropped. */
  needOldSecret: OldSecretCount
}

/**
 * Re-encrypts the tokens of providers under the current `COUNTERSIGN_SECRET`, so that an old one can be dropped. It can run
 * while the service does, and be repeated.
 */
export async function reencrypt (store: ReencryptStore, { encrypt, decrypt, keyId }: Encryption): Promise<Reencryption> {
  let reencrypted = 0
  for await (const old of store.old(keyId)) {
    const to = { accessToken: renew(old, 'access'), refreshToken: renew(old, 'refresh') }
    if (to.accessToken === old.accessToken && to.refreshToken === old.refreshToken) continue
    await store.replace({ id: old.id, from: old, to })
    reencrypted++
  }
  return { reencrypted, needOldSecret: await store.count(keyId) }

  // A token that no secret of the ring decrypts is left as it is, and counted.
  function renew (old: OldTokens, kind: 'access' | 'refresh'): string | null {
    const encrypted = kind === 'access' ? old.accessToken : old.refreshToken
    const token = encrypted === null ? undefined : decrypt(encrypted, contextOf(old, kind))
    return token === undefined ? encrypted : encrypt(token, contextOf(old, kind))
  }
}
