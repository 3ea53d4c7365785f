import { v7 as uuidv7 } from 'uuid'
import type { Role } from 'countersign-verifier'
import type { Database, Statement } from '../../database/database.ts'
import { violatedConstraint } from '../../database/errors.ts'
import type { ClientInfo } from '../../http/client-info.ts'
import { CREATE_ACCOUNT, FIND_HOLDER, FIND_OWNER, LINK, LINK_BY_EMAIL, RECOGNISE, RECOGNISE_IN_SESSION } from './identity-statements.ts'

/** A provider's tokens as they are kept: encrypted. */
export interface StoredTokens {
  accessToken: string
  refreshToken: string | null
  /** Seconds. */
  expiresIn: number | null
  scope: string | null
}

/** An identity as somebody came with it. */
export interface PresentedIdentity {
  provider: string
  issuer: string
  subject: string
  email: string | null
  emailVerified: boolean
  /** Whether the address counts as proved: verified to the letter, by a provider whose word is taken. */
  isProven: boolean
  tokens: StoredTokens | null
  /** Whether tokens are kept at all: where they no longer are, those of before go. */
  keepsTokens: boolean
}

/** An account that an identity opens. */
export interface AccountLink {
  userId: string
  identityId: string
  isDisabled: boolean
}

/** Whoever has an e-mail address. */
export interface AddressHolder {
  id: string
  emailVerified: boolean
  role: Role
  isDisabled: boolean
}

/** The session that somebody links an identity in. */
export interface LinkingSession {
  userId: string
  sessionId: string
}

/** The queries of signing in. Those that write give `undefined` where another request was quicker. */
export interface IdentityStore {
  /** Notes that an identity was used, and keeps what came with it. @returns `undefined` for one that nobody has */
  recognise (identity: PresentedIdentity): Promise<AccountLink | undefined>
  /** The same for one's own identity, while the session lives. */
  recogniseIn (session: LinkingSession, identity: PresentedIdentity): Promise<AccountLink | undefined>
  findHolder (email: string): Promise<AddressHolder | undefined>
  findOwner (identity: Pick<PresentedIdentity, 'issuer' | 'subject'>): Promise<string | undefined>
  createAccount (identity: PresentedIdentity, account: { email: string, emailVerified: boolean, name: string | null }, by: ClientInfo): Promise<AccountLink | undefined>
  /** Links to the account that has this address, verified. */
  linkByEmail (identity: PresentedIdentity, account: { id: string, email: string }, by: ClientInfo): Promise<AccountLink | undefined>
  /** Links to the account of a session, while it lives. A proven address that is the account's own is verified by it. */
  linkIn (session: LinkingSession, identity: PresentedIdentity, by: ClientInfo): Promise<AccountLink | undefined>
}

export function createIdentityStore ({ query }: Pick<Database, 'query'>): IdentityStore {
  async function insert (statement: Statement, { provider, issuer, subject, email, emailVerified, tokens }: PresentedIdentity, { ip, userAgent }: ClientInfo, ...values: unknown[]): Promise<AccountLink | undefined> {
    try {
      const identity = [uuidv7(), provider, issuer, subject, email, emailVerified, tokens?.accessToken, tokens?.refreshToken, tokens?.expiresIn, tokens?.scope]
      const [entry] = await query<AccountLink>(statement, [...identity, uuidv7(), ip, userAgent, ...values].map(value => value ?? null))
      return entry
    } catch (error) {
      if (violatedConstraint(error) === undefined) throw error
      return undefined
    }
  }

  async function use (statement: Statement, { provider, issuer, subject, email, emailVerified, tokens, keepsTokens }: PresentedIdentity, ...values: unknown[]): Promise<AccountLink | undefined> {
    const kept = [tokens?.accessToken, tokens?.refreshToken, tokens?.expiresIn, tokens?.scope].map(value => value ?? null)
    const [entry] = await query<AccountLink>(statement, [issuer, subject, email, emailVerified, ...kept, keepsTokens, provider, ...values])
    return entry
  }

  return {
    recognise: identity => use(RECOGNISE, identity),
    recogniseIn: ({ userId, sessionId }, identity) => use(RECOGNISE_IN_SESSION, identity, userId, sessionId, identity.isProven),

    async findHolder (email) {
      const [holder] = await query<AddressHolder>(FIND_HOLDER, [email])
      return holder
    },

    async findOwner ({ issuer, subject }) {
      const [owner] = await query<{ userId: string }>(FIND_OWNER, [issuer, subject])
      return owner?.userId
    },

    createAccount: (identity, { email, emailVerified, name }, by) => insert(CREATE_ACCOUNT, identity, by, uuidv7(), email, emailVerified, name),
    linkByEmail: (identity, { id, email }, by) => insert(LINK_BY_EMAIL, identity, by, id, email),
    linkIn: ({ userId, sessionId }, identity, by) => insert(LINK, identity, by, userId, sessionId, identity.isProven)
  }
}
