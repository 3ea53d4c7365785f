import { v7 as uuidv7 } from 'uuid'
import type { Role } from 'countersign-verifier'
import { auditSql } from '../audit/store.ts'
import type { Database, Statement } from '../database/database.ts'
import { violatedConstraint } from '../database/errors.ts'
import type { ClientDetails } from '../http/client-details.ts'
import { isGoodSql } from '../sessions/live-session.ts'

/** A provider's tokens as they are kept: encrypted. */
export interface KeptTokens {
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
  tokens: KeptTokens | null
  /** Whether tokens are kept at all: where they no longer are, those of before go. */
  keepsTokens: boolean
}

/** An account that an identity opens. */
export interface Entry {
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
  recognise (identity: PresentedIdentity): Promise<Entry | undefined>
  /** The same for one's own identity, while the session lives. */
  recogniseIn (session: LinkingSession, identity: PresentedIdentity): Promise<Entry | undefined>
  findHolder (email: string): Promise<AddressHolder | undefined>
  findOwner (identity: Pick<PresentedIdentity, 'issuer' | 'subject'>): Promise<string | undefined>
  createAccount (identity: PresentedIdentity, account: { email: string, emailVerified: boolean, name: string | null }, by: ClientDetails): Promise<Entry | undefined>
  /** Links to the account that has this address, verified. */
  linkByEmail (identity: PresentedIdentity, account: { id: string, email: string }, by: ClientDetails): Promise<Entry | undefined>
  /** Links to the account of a session, while it lives. A proven address that is the account's own is verified by it. */
  linkIn (session: LinkingSession, identity: PresentedIdentity, by: ClientDetails): Promise<Entry | undefined>
}

// The provider's name follows the configuration, where an issuer may get another.
const USED = `
    UPDATE identities SET email = $3, email_verified = $4::boolean, last_used_at = now(), provider = $10,
      access_token = CASE WHEN $9::boolean THEN coalesce($5::text, access_token) END,
      refresh_token = CASE WHEN $9 THEN coalesce($6::text, refresh_token) END,
      token_expires_at = CASE WHEN NOT $9 THEN NULL WHEN $5 IS NULL THEN token_expires_at ELSE now() + make_interval(secs => $7::float8) END,
      token_scope = CASE WHEN NOT $9 THEN NULL WHEN $5 IS NULL THEN token_scope ELSE $8::text END,
      refreshing_until = CASE WHEN $5 IS NULL THEN refreshing_until END`

const RECOGNISE = {
  name: 'identities.recognise',
  text: `${USED}
    FROM users WHERE users.id = identities.user_id AND issuer = $1 AND subject = $2
    RETURNING identities.id::text AS "identityId", user_id::text AS "userId", users.disabled_at IS NOT NULL AS "isDisabled"`
}

/**
 * SQL: common table expressions `holder`, the account and its live session, and `proved`, which verifies the account's
 * address where it is the identity's. The session was looked at before the provider was asked, which takes seconds; so it
 * is locked here, and looked at again, with the account: what ended one of them has come first, or waits.
 */
const holderSql = (user: string, session: string, email: string, isProven: string) => `
    holder AS (
      SELECT users.id AS user_id, sessions.id AS session_id FROM users JOIN sessions ON sessions.user_id = users.id
      WHERE users.id = ${user}::uuid AND sessions.id = ${session}::uuid AND ${isGoodSql('sessions', 'users')}
      FOR NO KEY UPDATE OF users FOR SHARE OF sessions
    ), proved AS (
      UPDATE users SET email_verified = true, updated_at = now() FROM holder
      WHERE users.id = holder.user_id AND users.email = ${email} AND NOT users.email_verified AND ${isProven}::boolean
    )`

const RECOGNISE_IN_SESSION = {
  name: 'identities.recognise-in-session',
  text: `
    WITH ${holderSql('$11', '$12', '$3', '$13')} ${USED}
    FROM holder WHERE identities.user_id = holder.user_id AND issuer = $1 AND subject = $2
    RETURNING identities.id::text AS "identityId", identities.user_id::text AS "userId", false AS "isDisabled"`
}

const FIND_HOLDER = {
  name: 'identities.find-holder',
  text: 'SELECT id::text AS id, email_verified AS "emailVerified", role::text AS role, disabled_at IS NOT NULL AS "isDisabled" FROM users WHERE email = $1'
}

const FIND_OWNER = {
  name: 'identities.find-owner',
  text: 'SELECT user_id::text AS "userId" FROM identities WHERE issuer = $1 AND subject = $2'
}

/** SQL: a common table expression `linked` that inserts an identity for the user of `source`, from the parameters $1 to $10. */
const linkSql = (source: string) => `
    linked AS (
      INSERT INTO identities (id, provider, issuer, subject, email, email_verified, access_token, refresh_token, token_expires_at, token_scope, last_used_at, user_id)
      SELECT $1::uuid, $2, $3, $4, $5, $6::boolean, $7, $8, now() + make_interval(secs => $9::float8), $10, now(), user_id FROM ${source}
      RETURNING id::text AS "identityId", user_id::text AS "userId", false AS "isDisabled"
    )`

const TRAIL = { id: '$11', ip: '$12', userAgent: '$13', detail: "jsonb_build_object('provider', $2::text)" }

const CREATE_ACCOUNT = {
  name: 'identities.create-account',
  text: `
    WITH created AS (
      INSERT INTO users (id, email, email_verified, name) VALUES ($14::uuid, $15, $16::boolean, $17)
      RETURNING id AS user_id, NULL::uuid AS session_id
    ), ${linkSql('created')}, ${auditSql('register', 'success', 'created', TRAIL)}
    SELECT * FROM linked`
}

// The lock makes it wait for whoever is changing the account, and then look again.
const LINK_BY_EMAIL = {
  name: 'identities.link-by-email',
  text: `
    WITH holder AS (
      SELECT id AS user_id, NULL::uuid AS session_id FROM users
      WHERE id = $14::uuid AND disabled_at IS NULL AND email = $15 AND email_verified
      FOR SHARE
    ), ${linkSql('holder')}, ${auditSql('identity_link', 'success', 'holder', TRAIL)}
    SELECT * FROM linked`
}

const LINK = {
  name: 'identities.link',
  text: `
    WITH ${holderSql('$14', '$15', '$5', '$16')}, ${linkSql('holder')}, ${auditSql('identity_link', 'success', 'holder', TRAIL)}
    SELECT * FROM linked`
}

export function createIdentityStore ({ query }: Pick<Database, 'query'>): IdentityStore {
  async function insert (statement: Statement, { provider, issuer, subject, email, emailVerified, tokens }: PresentedIdentity, { ip, userAgent }: ClientDetails, ...values: unknown[]): Promise<Entry | undefined> {
    try {
      const identity = [uuidv7(), provider, issuer, subject, email, emailVerified, tokens?.accessToken, tokens?.refreshToken, tokens?.expiresIn, tokens?.scope]
      const [entry] = await query<Entry>(statement, [...identity, uuidv7(), ip, userAgent, ...values].map(value => value ?? null))
      return entry
    } catch (error) {
      if (violatedConstraint(error) === undefined) throw error
      return undefined
    }
  }

  async function use (statement: Statement, { provider, issuer, subject, email, emailVerified, tokens, keepsTokens }: PresentedIdentity, ...values: unknown[]): Promise<Entry | undefined> {
    const kept = [tokens?.accessToken, tokens?.refreshToken, tokens?.expiresIn, tokens?.scope].map(value => value ?? null)
    const [entry] = await query<Entry>(statement, [issuer, subject, email, emailVerified, ...kept, keepsTokens, provider, ...values])
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
