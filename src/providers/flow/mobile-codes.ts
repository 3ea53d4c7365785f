import { createHash, randomBytes } from 'node:crypto'
import type { OneTimeTokenStore } from '../../one-time-tokens/store.ts'
import type { AccountLink } from '../identities/identity-store.ts'

/** The codes by which an app gets the session that its user signed in for in the browser (RFC 8252 §6). */
export interface MobileCodes {
  /** @returns a code that is good once, for a minute, with the verifier of `codeChallenge` */
  issue (entry: AccountLink, binding: { codeChallenge: string, redirectTo: string }): Promise<string>
  /** @returns `undefined` where the code is not good, or not for this verifier */
  redeem (code: string, codeVerifier: string): Promise<Pick<AccountLink, 'userId' | 'identityId'> | undefined>
}

/** Seconds. */
export const CODE_LIFE = 60

interface CodeData {
  identityId: string
  codeChallenge: string
  redirectTo: string
}

export function createMobileCodes (oneTime: OneTimeTokenStore): MobileCodes {
  return {
    async issue ({ userId, identityId }, { codeChallenge, redirectTo }) {
      const code = randomBytes(32).toString('base64url')
      const data: CodeData = { identityId, codeChallenge, redirectTo }
      await oneTime.issue('sign_in_code', code, { userId, data, life: CODE_LIFE })
      return code
    },

    async redeem (code, codeVerifier) {
      const used = await oneTime.redeem<CodeData>('sign_in_code', code, { codeChallenge: challengeOf(codeVerifier) })
      return used && { userId: used.userId, identityId: used.data.identityId }
    }
  }
}

/** @returns the S256 challenge of a verifier (RFC 7636 §4.2) */
export function challengeOf (codeVerifier: string): string {
  return createHash('sha256').update(codeVerifier).digest('base64url')
}
