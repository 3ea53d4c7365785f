import { v7 as uuidv7 } from 'uuid'
import type { Role } from 'countersign-verifier'
import type { Database } from '../../database/database.ts'
import type { Statement } from '../../database/statement.ts'
import { violatedConstraint } from '../../database/errors.ts'
import type { ClientInfo } from '../../http/client-info.ts'
import { outboxValues, type OutboxRow } from '../../outbox/enqueue.ts'
import { respellFormer } from '../../sessions/former-spelling-store.ts'
import { CREATE_ACCOUNT, FIND_ACCOUNT_BY_EMAIL, FIND_HOLDER, FIND_LINK, LINK_BY_EMAIL, LINK_IN_SESSION, RECORD_USE, RECORD_USE_IN_SESSION } from './identity-statements.ts'

/** A provider's tokens as they are stored: encrypted. */
export interface StoredTokens {
  accessToken: string
  refreshToken: string | null
  /** Seconds. */
  expiresIn: number | null
  scope: string | null
}

/** An identity as the provider presented it. */
export interface PresentedIdentity {
  provider: string
  issuer: string
  subject: string
  email: string | null
  emailVerified: boolean
  /** Whether the address counts as proved: verified exactly as it is written, by a provider that is trusted for e-mail. */
  isProven: boolean
  tokens: StoredTokens | null
  /** Whether tokens are stored. If not, those stored earlier are deleted. */
  keepsTokens: boolean
}

/** An identity and the account that it is linked to. */
export interface AccountLink {
  userId: string
  identityId: string
  isDisabled: boolean
  isToBeDeleted: boolean
  /** Whether nobody has proved the account's address; told of an identity that was known before. */
  isUnverified?: boolean
}

/** The account with a given e-mail address. */
export interface EmailAccount {
  id: string
  emailVerified: boolean
  role: Role
  isDisabled: boolean
  isToBeDeleted: boolean
}

/** The session in which an identity is linked. */
export interface LinkingSession {
  userId: string
  sessionId: string
}

export type IdentityStore = ReturnType<typeof createIdentityStore>

/** The queries of signing in. Those that insert return `undefined` when another request was faster. */
export function createIdentityStore ({ query }: Pick<Database, 'query'>) {
  async function insert (statement: Statement, identity: PresentedIdentity, { ip, userAgent }: ClientInfo, values: Readonly<Record<string, unknown>>): Promise<AccountLink | undefined> {
    try {
      const [link] = await query<AccountLink>(statement, { ...identityValues(identity), identityId: uuidv7(), eventId: uuidv7(), ip, userAgent, ...values })
      return link
    } catch (error) {
      if (violatedConstraint(error) === undefined) throw error
      return undefined
    }
  }

  return {
    /** Records that an identity was used, and stores its present address and tokens. @returns `undefined` for an unknown identity */
    async recordUse (identity: PresentedIdentity): Promise<AccountLink | undefined> {
      const [link] = await query<AccountLink>(RECORD_USE, identityValues(identity))
      return link
    },

    /** The same for an identity of the session's own account, while the session is live. */
    async recordUseInSession ({ userId, sessionId }: LinkingSession, identity: PresentedIdentity): Promise<AccountLink | undefined> {
      const [link] = await query<AccountLink>(RECORD_USE_IN_SESSION, { ...identityValues(identity), userId, sessionId })
      return link
    },

    async findAccountByEmail (email: string): Promise<EmailAccount | undefined> {
      await respellFormer({ query }, email)
      const [account] = await query<EmailAccount>(FIND_ACCOUNT_BY_EMAIL, { email })
      return account
    },

    /** @returns the id of the account that had an address before, and may come back to it */
    async findHolder (email: string): Promise<string | undefined> {
      const [holder] = await query<{ id: string }>(FIND_HOLDER, { email })
      return holder?.id
    },

    /** @returns the id of the account that an identity is linked to, or `null`, and whether the session is live */
    async findLink ({ issuer, subject }: Pick<PresentedIdentity, 'issuer' | 'subject'>, { userId, sessionId }: LinkingSession): Promise<{ owner: string | null, isLive: boolean }> {
      const [link] = await query<{ owner: string | null, isLive: boolean }>(FIND_LINK, { issuer, subject, userId, sessionId })
      return link ?? { owner: null, isLive: false }
    },

    /** Creates an account with the identity's address. */
    createAccount: (identity: PresentedIdentity & { email: string }, name: string | null, client: ClientInfo) =>
      insert(CREATE_ACCOUNT, identity, client, { userId: uuidv7(), name }),

    /** Links to an account that has the identity's address, verified. */
    linkByEmail: (identity: PresentedIdentity & { email: string }, userId: string, client: ClientInfo, notice: OutboxRow) =>
      insert(LINK_BY_EMAIL, identity, client, { userId, ...outboxValues(notice) }),

    /** Links to the account of a live session. If the identity proves the account's address, that is verified by it. */
    linkInSession: ({ userId, sessionId }: LinkingSession, identity: PresentedIdentity, client: ClientInfo, notice: OutboxRow) =>
      insert(LINK_IN_SESSION, identity, client, { userId, sessionId, ...outboxValues(notice) })
  }
}

/** @returns the values of an identity, as the statements name them */
export function identityValues ({ tokens, ...identity }: PresentedIdentity) {
  const { accessToken = null, refreshToken = null, expiresIn = null, scope = null } = tokens ?? {}
  return { ...identity, accessToken, refreshToken, expiresIn, scope }
}
