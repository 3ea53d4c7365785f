import { randomBytes } from 'node:crypto'
import type { OneTimeTokenStore } from '../../one-time-tokens/store.ts'
import { challengeOf, CODE_LIFE } from '../flow/mobile-codes.ts'
import type { LinkingSession, PresentedIdentity } from './identity-store.ts'

interface CodeData extends LinkingSession {
  identity: PresentedIdentity
  codeChallenge: string
  redirectTo: string
}

export type LinkCodes = ReturnType<typeof createLinkCodes>

/** One-time codes by which a mobile app links the identity of a user who came back from a provider. */
export function createLinkCodes (oneTimeTokens: OneTimeTokenStore) {
  return {
    /**
     * @returns a code that can be redeemed once, within a minute, in the same session and with the verifier of `codeChallenge`;
     * `undefined` where the account was deleted meanwhile
     */
    async issue (identity: PresentedIdentity, { userId, sessionId }: LinkingSession, { codeChallenge, redirectTo }: { codeChallenge: string, redirectTo: string }): Promise<string | undefined> {
      const code = randomBytes(32).toString('base64url')
      const data: CodeData = { identity, userId, sessionId, codeChallenge, redirectTo }
      return await oneTimeTokens.issue('link_code', code, { userId, data, life: CODE_LIFE }) ? code : undefined
    },

    /** @returns `undefined` when the code is invalid, or belongs to another session or verifier */
    async redeem (code: string, { userId, sessionId }: LinkingSession, codeVerifier: string): Promise<PresentedIdentity | undefined> {
      const redeemed = await oneTimeTokens.redeem<CodeData>('link_code', code, { userId, sessionId, codeChallenge: challengeOf(codeVerifier) })
      return redeemed?.data.identity
    }
  }
}
