import { createHmac, randomBytes } from 'node:crypto'
import type { MintAccessToken } from '../tokens/mint-access-token.ts'
import type { KeyRing } from '../tokens/derived-keys.ts'
import type { CredentialStore, HeldSession } from './credential-store.ts'
import type { Login } from './open-session.ts'
import type { RefreshTokens } from './refresh-token.ts'
import type { SessionCredential } from './session-credential.ts'
import { readSessionSecret } from './session-secret.ts'

/** New credentials for a session that goes on, with another nonce or secret: what was given out before has no successor. */
export interface SessionRenewal {
  /** The key of the ring that credentials are made with. */
  readonly keyId: string
  /** @param attempt what for, and 128 or more random bits of the client's, by which the same is made again where the answer is lost */
  prepare (credential: SessionCredential, sessionId: string, attempt: string | undefined): SessionCredential
  /** The session that was renewed from one of these credentials in this attempt, as long as what it got is its present one. */
  findRenewed (from: readonly SessionCredential[], attempt: string): Promise<Renewed | undefined>
  /** Makes a login of a session that has the credential now. */
  complete (renewed: Renewed): Login
}

/** A session and its new credential. */
export interface Renewed {
  session: Omit<HeldSession, 'authenticatedAgo'>
  credential: SessionCredential
}

export interface SessionRenewalDeps {
  credentials: CredentialStore
  refreshTokens: Pick<RefreshTokens, 'write'>
  mint: MintAccessToken
  ring: KeyRing
}

const [NONCE, SECRET] = [16, 32]

export function createSessionRenewal ({ credentials, refreshTokens, mint, ring }: SessionRenewalDeps): SessionRenewal {
  function toCredential (channel: SessionCredential['channel'], sessionId: string, bytes: Buffer): SessionCredential {
    if (channel !== 'session') {
      const content = { sessionId, generation: 0, nonce: bytes.subarray(0, NONCE) }
      return { channel, ...content, text: refreshTokens.write(content) }
    }
    const secret = readSessionSecret(bytes.toString('base64url'))
    if (secret === undefined) throw new Error('32 bytes are no secret of a session')
    return { channel, text: secret.text, secretHash: secret.hash }
  }

  return {
    keyId: ring[0].id,

    prepare: (credential, sessionId, attempt) =>
      toCredential(credential.channel, sessionId, attempt === undefined ? randomBytes(SECRET) : derive(ring[0].bytes, credential, attempt)),

    async findRenewed (from, attempt) {
      for (const old of from) {
        for (const { bytes } of ring) {
          const credential = toCredential(old.channel, old.channel === 'session' ? '' : old.sessionId, derive(bytes, old, attempt))
          const session = await credentials.find(credential)
          if (session !== undefined) return { session, credential }
        }
      }
      return undefined
    },

    complete ({ session: user, credential: { channel, text } }) {
      const { sessionId, userId, now, endsAt } = user
      if (channel === 'session') return { user, sessionId, channel, secret: text, expiresIn: Math.floor(endsAt - now) }
      return { ...mint({ subject: { ...user, id: userId }, sessionId, now, sessionEnds: endsAt }), user, sessionId, channel, refreshToken: text }
    }
  }
}

// From what only the session's holder and only the client of this attempt have: so nobody has to keep what was answered.
function derive (key: Buffer, { text }: SessionCredential, attempt: string): Buffer {
  return createHmac('sha256', key).update(`${text}\n${attempt}`).digest()
}
