import type { Encryption } from '../../tokens/encryption.ts'
import type { StoredTokens } from '../identities/identity-store.ts'
import type { ProviderTokens } from '../provider.ts'

/** The identity that tokens belong to: a token can be decrypted only with the identity that it was encrypted for. */
export interface TokenOwner {
  issuer: string
  subject: string
}

export type TokenVault = ReturnType<typeof createTokenVault>

/** Encrypts the tokens of providers for the database, and decrypts them. */
export function createTokenVault ({ encrypt, decrypt }: Encryption) {
  return {
    encrypt: (owner: TokenOwner, { accessToken, refreshToken, ...rest }: ProviderTokens): StoredTokens => ({
      ...rest,
      accessToken: encrypt(accessToken, contextOf(owner, 'access')),
      refreshToken: refreshToken === null ? null : encrypt(refreshToken, contextOf(owner, 'refresh'))
    }),

    /** @returns `undefined` when no key of the ring decrypts it */
    decrypt: (owner: TokenOwner, kind: 'access' | 'refresh', encrypted: string): string | undefined => decrypt(encrypted, contextOf(owner, kind))
  }
}

export function contextOf ({ issuer, subject }: TokenOwner, kind: 'access' | 'refresh'): string {
  return JSON.stringify([issuer, subject, kind])
}
