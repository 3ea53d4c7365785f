import { randomBytes } from 'node:crypto'
import type { OneTimeTokenStore } from '../../one-time-tokens/store.ts'
import { challengeOf, CODE_LIFE } from '../flow/mobile-codes.ts'
import type { LinkingSession, PresentedIdentity } from './identity-store.ts'

/** The codes by which an app links the identity that its user came back from a provider with. */
export interface LinkCodes {
  /** @returns a code that is good once, for a minute, in the session that began and with the verifier of `codeChallenge` */
  issue (identity: PresentedIdentity, session: LinkingSession, binding: { codeChallenge: string, redirectTo: string }): Promise<string>
  /** @returns `undefined` where the code is not good, or not in this session, or not for this verifier */
  redeem (code: string, session: LinkingSession, codeVerifier: string): Promise<PresentedIdentity | undefined>
}

interface CodeData extends LinkingSession {
  identity: PresentedIdentity
  codeChallenge: string
  redirectTo: string
}

export function createLinkCodes (oneTime: OneTimeTokenStore): LinkCodes {
  return {
    async issue (identity, { userId, sessionId }, { codeChallenge, redirectTo }) {
      const code = randomBytes(32).toString('base64url')
      const data: CodeData = { identity, userId, sessionId, codeChallenge, redirectTo }
      await oneTime.issue('link_code', code, { userId, data, life: CODE_LIFE })
      return code
    },

    async redeem (code, { userId, sessionId }, codeVerifier) {
      const used = await oneTime.redeem<CodeData>('link_code', code, { userId, sessionId, codeChallenge: challengeOf(codeVerifier) })
      return used?.data.identity
    }
  }
}
