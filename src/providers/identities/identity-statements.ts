import { auditSql } from '../../audit/store.ts'
import { isGoodSql } from '../../sessions/session-sql.ts'

// The provider's name follows the configuration, where an issuer may get another.
const USED = `
    UPDATE identities SET email = $3, email_verified = $4::boolean, last_used_at = now(), provider = $10,
      access_token = CASE WHEN $9::boolean THEN coalesce($5::text, access_token) END,
      refresh_token = CASE WHEN $9 THEN coalesce($6::text, refresh_token) END,
      token_expires_at = CASE WHEN NOT $9 THEN NULL WHEN $5 IS NULL THEN token_expires_at ELSE now() + make_interval(secs => $7::float8) END,
      token_scope = CASE WHEN NOT $9 THEN NULL WHEN $5 IS NULL THEN token_scope ELSE $8::text END,
      refreshing_until = CASE WHEN $5 IS NULL THEN refreshing_until END`

export const RECOGNISE = {
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

export const RECOGNISE_IN_SESSION = {
  name: 'identities.recognise-in-session',
  text: `
    WITH ${holderSql('$11', '$12', '$3', '$13')} ${USED}
    FROM holder WHERE identities.user_id = holder.user_id AND issuer = $1 AND subject = $2
    RETURNING identities.id::text AS "identityId", identities.user_id::text AS "userId", false AS "isDisabled"`
}

export const FIND_HOLDER = {
  name: 'identities.find-holder',
  text: 'SELECT id::text AS id, email_verified AS "emailVerified", role::text AS role, disabled_at IS NOT NULL AS "isDisabled" FROM users WHERE email = $1'
}

export const FIND_OWNER = {
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

export const CREATE_ACCOUNT = {
  name: 'identities.create-account',
  text: `
    WITH created AS (
      INSERT INTO users (id, email, email_verified, name) VALUES ($14::uuid, $15, $16::boolean, $17)
      RETURNING id AS user_id, NULL::uuid AS session_id
    ), ${linkSql('created')}, ${auditSql('register', 'success', 'created', TRAIL)}
    SELECT * FROM linked`
}

// The lock makes it wait for whoever is changing the account, and then look again.
export const LINK_BY_EMAIL = {
  name: 'identities.link-by-email',
  text: `
    WITH holder AS (
      SELECT id AS user_id, NULL::uuid AS session_id FROM users
      WHERE id = $14::uuid AND disabled_at IS NULL AND email = $15 AND email_verified
      FOR SHARE
    ), ${linkSql('holder')}, ${auditSql('identity_link', 'success', 'holder', TRAIL)}
    SELECT * FROM linked`
}

export const LINK = {
  name: 'identities.link',
  text: `
    WITH ${holderSql('$14', '$15', '$5', '$16')}, ${linkSql('holder')}, ${auditSql('identity_link', 'success', 'holder', TRAIL)}
    SELECT * FROM linked`
}
