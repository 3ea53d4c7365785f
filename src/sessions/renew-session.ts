import { createHmac, randomBytes } from 'node:crypto'
import type { MintAccessToken } from '../tokens/mint-access-token.ts'
import type { KeyRing } from '../tokens/derived-keys.ts'
import type { LiveSession, SessionCredentialStore } from './session-credential-store.ts'
import type { Login } from './open-session.ts'
import type { RefreshTokens } from './refresh-token.ts'
import type { SessionCredential } from './session-credential.ts'
import { readSessionSecret } from './session-secret.ts'
import { tokenSubject } from './session-sql.ts'

export type SessionRenewal = ReturnType<typeof createSessionRenewal>

/** A session and its new credential. */
export interface RenewedSession {
  session: Omit<LiveSession, 'authenticatedAgo'>
  credential: SessionCredential
}

export interface SessionRenewalDeps {
  credentialStore: SessionCredentialStore
  refreshTokens: Pick<RefreshTokens, 'write'>
  mint: MintAccessToken
  ring: KeyRing
}

const [NONCE, SECRET] = [16, 32]

/** Gives a session a new nonce or secret, so that the credentials from before cannot be used or refreshed any more. */
export function createSessionRenewal ({ credentialStore, refreshTokens, mint, ring }: SessionRenewalDeps) {
  function toCredential (channel: SessionCredential['channel'], sessionId: string, bytes: Buffer): SessionCredential {
    if (channel !== 'session') {
      const content = { sessionId, generation: 0, nonce: bytes.subarray(0, NONCE) }
      return { channel, ...content, text: refreshTokens.write(content) }
    }
    const secret = readSessionSecret(bytes.toString('base64url'))
    if (secret === undefined) throw new Error('32 bytes are not a session secret')
    return { channel, text: secret.text, secretHash: secret.hash }
  }

  return {
    /** The key of the ring that new credentials are made with. */
    keyId: ring[0].id,

    /** @param idempotencyKey 128 or more random bits of the client's: a repeated request with them gets the same credential */
    prepare: (credential: SessionCredential, sessionId: string, idempotencyKey: string | undefined): SessionCredential =>
      toCredential(credential.channel, sessionId, idempotencyKey === undefined ? randomBytes(SECRET) : derive(ring[0].bytes, credential, idempotencyKey)),

    /** Finds the session that was renewed from one of these credentials under this key, while it still has the credential that it got then. */
    async findRenewed (previous: readonly SessionCredential[], idempotencyKey: string): Promise<RenewedSession | undefined> {
      for (const old of previous) {
        for (const { bytes } of ring) {
          const credential = toCredential(old.channel, old.channel === 'session' ? '' : old.sessionId, derive(bytes, old, idempotencyKey))
          const session = await credentialStore.find(credential)
          if (session !== undefined) return { session, credential }
        }
      }
      return undefined
    },

    toLogin ({ session: user, credential: { channel, text } }: RenewedSession): Login {
      const { sessionId, now, endsAt } = user
      if (channel === 'session') return { user, sessionId, channel, secret: text, expiresIn: Math.floor(endsAt - now) }
      return { ...mint({ subject: tokenSubject(user), sessionId, now, sessionEnds: endsAt }), user, sessionId, channel, refreshToken: text }
    }
  }
}

// Derived from the old credential and the client's key, which nobody else has both of: so the response can be repeated
// without being stored.
function derive (key: Buffer, { text }: SessionCredential, idempotencyKey: string): Buffer {
  return createHmac('sha256', key).update(`${text}\n${idempotencyKey}`).digest()
}
