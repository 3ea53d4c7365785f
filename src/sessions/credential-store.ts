import type { Database } from '../database/database.ts'
import { authenticatedAtSql } from './authenticated-at.ts'
import { isGoodSql } from './session-sql.ts'
import type { SessionCredential } from './session-credential.ts'
import { accountColumns, type SessionAccount } from './open-session-store.ts'

/** The live session of a credential, and its account. */
export interface HeldSession extends SessionAccount {
  sessionId: string
  /** Seconds since its owner last authenticated. */
  authenticatedAgo: number
}

/** The query of who holds a session. It reads alone: whatever is shown, no session moves on or ends by it. */
export interface CredentialStore {
  /** @returns the live session whose row agrees with the credential to the letter */
  find (credential: SessionCredential): Promise<HeldSession | undefined>
}

const FIND = `
  SELECT ${accountColumns('u')}, s.id::text AS "sessionId", extract(epoch FROM s.ends_at)::float8 AS "endsAt",
    extract(epoch FROM now() - ${authenticatedAtSql('s')})::float8 AS "authenticatedAgo"
  FROM sessions s JOIN users u ON u.id = s.user_id
  WHERE ${isGoodSql('s', 'u')}`

const FIND_BY_TOKEN = {
  name: 'sessions.find-by-token',
  text: `${FIND} AND s.id = $1::uuid AND s.channel = $2::channel AND s.nonce = $3::bytea AND s.generation = $4::int`
}

const FIND_BY_SECRET = {
  name: 'sessions.find-by-secret',
  text: `${FIND} AND s.secret_hash = $1::bytea AND s.channel = 'session'`
}

export function createCredentialStore ({ query }: Pick<Database, 'query'>): CredentialStore {
  return {
    async find (credential) {
      const [held] = credential.channel === 'session'
        ? await query<HeldSession>(FIND_BY_SECRET, [credential.secretHash])
        : await query<HeldSession>(FIND_BY_TOKEN, [credential.sessionId, credential.channel, credential.nonce, credential.generation])
      return held
    }
  }
}
