import { createHash, randomBytes } from 'node:crypto'
import type { OneTimeTokenStore } from '../../one-time-tokens/store.ts'
import type { AccountLink } from '../identities/identity-store.ts'

/** Seconds. */
export const CODE_LIFE = 60

interface CodeData {
  identityId: string
  codeChallenge: string
  redirectTo: string
}

export type MobileCodes = ReturnType<typeof createMobileCodes>

/** One-time codes by which a mobile app gets the session of a user who signed in in the browser (RFC 8252 §6). */
export function createMobileCodes (oneTimeTokens: OneTimeTokenStore) {
  return {
    /** @returns a code that can be redeemed once, within a minute, with the verifier of `codeChallenge`; `undefined` where the account was deleted meanwhile */
    async issue ({ userId, identityId }: AccountLink, { codeChallenge, redirectTo }: { codeChallenge: string, redirectTo: string }): Promise<string | undefined> {
      const code = randomBytes(32).toString('base64url')
      const data: CodeData = { identityId, codeChallenge, redirectTo }
      return await oneTimeTokens.issue('sign_in_code', code, { userId, data, life: CODE_LIFE }) ? code : undefined
    },

    /** @returns `undefined` when the code is invalid or belongs to another verifier */
    async redeem (code: string, codeVerifier: string): Promise<Pick<AccountLink, 'userId' | 'identityId'> | undefined> {
      const redeemed = await oneTimeTokens.redeem<CodeData>('sign_in_code', code, { codeChallenge: challengeOf(codeVerifier) })
      return redeemed && { userId: redeemed.userId, identityId: redeemed.data.identityId }
    }
  }
}

/** @returns the S256 challenge of a verifier (RFC 7636 §4.2) */
export function challengeOf (codeVerifier: string): string {
  return createHash('sha256').update(codeVerifier).digest('base64url')
}
