import type { Encryption } from '../../tokens/encryption.ts'
import type { StoredTokens } from '../identities/identity-store.ts'
import type { ProviderTokens } from '../provider.ts'

/** Whose tokens they are: each is encrypted for its place alone. */
export interface TokenOwner {
  issuer: string
  subject: string
}

/** Encrypts the tokens of providers, and decrypts them. */
export interface TokenVault {
  lock (place: TokenOwner, tokens: ProviderTokens): StoredTokens
  /** @returns `undefined` where no key of the ring opens it */
  unlock (place: TokenOwner, kind: 'access' | 'refresh', encrypted: string): string | undefined
}

export function createTokenVault ({ encrypt, decrypt }: Encryption): TokenVault {
  return {
    lock: (place, { accessToken, refreshToken, ...rest }) => ({
      ...rest,
      accessToken: encrypt(accessToken, contextOf(place, 'access')),
      refreshToken: refreshToken === null ? null : encrypt(refreshToken, contextOf(place, 'refresh'))
    }),
    unlock: (place, kind, encrypted) => decrypt(encrypted, contextOf(place, kind))
  }
}

export function contextOf ({ issuer, subject }: TokenOwner, kind: 'access' | 'refresh'): string {
  return JSON.stringify([issuer, subject, kind])
}
