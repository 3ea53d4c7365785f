import { auditSql } from '../../audit/store.ts'
import { statement } from '../../database/statement.ts'
import { outboxSql } from '../../outbox/enqueue.ts'
import { isActiveSql, isGoodSql } from '../../sessions/session-sql.ts'

// The provider's name follows the configuration: the same issuer may be configured under another name later.
const RECORD_USE_SQL = `
  UPDATE identities SET email = :email, email_verified = :emailVerified::boolean, last_used_at = now(), provider = :provider,
    access_token = CASE WHEN :keepsTokens::boolean THEN coalesce(:accessToken::text, access_token) END,
    refresh_token = CASE WHEN :keepsTokens THEN coalesce(:refreshToken::text, refresh_token) END,
    token_expires_at = CASE WHEN NOT :keepsTokens THEN NULL WHEN :accessToken IS NULL THEN token_expires_at ELSE now() + make_interval(secs => :expiresIn::float8) END,
    token_scope = CASE WHEN NOT :keepsTokens THEN NULL WHEN :accessToken IS NULL THEN token_scope ELSE :scope::text END,
    refreshing_until = CASE WHEN :accessToken IS NULL THEN refreshing_until END`

export const RECORD_USE = statement('identities.record-use', `
  ${RECORD_USE_SQL}
  FROM users WHERE users.id = identities.user_id AND issuer = :issuer AND subject = :subject
  RETURNING identities.id::text AS "identityId", user_id::text AS "userId", users.disabled_at IS NOT NULL AS "isDisabled", users.deletion_due_at IS NOT NULL AS "isToBeDeleted", NOT users.email_verified AS "isUnverified"`)

/**
 * SQL: common table expressions `account`, the session's account while the session is live, and `verified`, which verifies
 * the account's address if the identity proves it. The session was checked before the request to the provider, which takes
 * seconds. So it is checked again here, under a lock: a logout or an admin's change comes first, or waits.
 */
const SESSION_ACCOUNT_SQL = `
  account AS (
    SELECT users.id AS user_id, sessions.id AS session_id FROM users JOIN sessions ON sessions.user_id = users.id
    WHERE users.id = :userId::uuid AND sessions.id = :sessionId::uuid AND ${isGoodSql('sessions', 'users')}
    FOR NO KEY UPDATE OF users FOR SHARE OF sessions
  ), verified AS (
    UPDATE users SET email_verified = true, updated_at = now() FROM account
    WHERE users.id = account.user_id AND users.email = :email AND NOT users.email_verified AND :isProven::boolean
  )`

export const RECORD_USE_IN_SESSION = statement('identities.record-use-in-session', `
  WITH ${SESSION_ACCOUNT_SQL} ${RECORD_USE_SQL}
  FROM account WHERE identities.user_id = account.user_id AND issuer = :issuer AND subject = :subject
  RETURNING identities.id::text AS "identityId", identities.user_id::text AS "userId", false AS "isDisabled", false AS "isToBeDeleted"`)

export const FIND_ACCOUNT_BY_EMAIL = statement('identities.find-account-by-email',
  'SELECT id::text AS id, email_verified AS "emailVerified", role::text AS role, disabled_at IS NOT NULL AS "isDisabled", deletion_due_at IS NOT NULL AS "isToBeDeleted" FROM users WHERE email = :email')

// As taken as the address of an account is: another one may come back to it.
export const FIND_HOLDER = statement('identities.find-holder', 'SELECT user_id::text AS id FROM email_holds WHERE email = :email AND until > now()')

export const FIND_LINK = statement('identities.find-link', `
  SELECT (SELECT user_id::text FROM identities WHERE issuer = :issuer AND subject = :subject) AS owner,
    EXISTS (SELECT FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = :sessionId::uuid AND u.id = :userId::uuid AND ${isGoodSql('s', 'u')}) AS "isLive"`)

/** SQL: inserts an identity for each `user_id` of `source`. */
const insertIdentitySql = (source: string) => `
  INSERT INTO identities (id, provider, issuer, subject, email, email_verified, access_token, refresh_token, token_expires_at, token_scope, last_used_at, user_id)
  SELECT :identityId::uuid, :provider, :issuer, :subject, :email, :emailVerified::boolean, :accessToken, :refreshToken, now() + make_interval(secs => :expiresIn::float8), :scope, now(), user_id
  FROM ${source}
  RETURNING id::text AS "identityId", user_id::text AS "userId", false AS "isDisabled", false AS "isToBeDeleted"`

const DETAIL = { detail: "jsonb_build_object('provider', :provider::text)" }

export const CREATE_ACCOUNT = statement('identities.create-account', `
  WITH created AS (
    INSERT INTO users (id, email, email_verified, name) VALUES (:userId::uuid, :email, :isProven::boolean, :name)
    RETURNING id AS user_id, NULL::uuid AS session_id
  ), linked AS (${insertIdentitySql('created')}), ${auditSql('register', 'success', 'created', DETAIL)}
  SELECT * FROM linked`)

// The lock waits for a concurrent change of the account, and then checks the conditions again.
export const LINK_BY_EMAIL = statement('identities.link-by-email', `
  WITH account AS (
    SELECT id AS user_id, NULL::uuid AS session_id FROM users
    WHERE id = :userId::uuid AND ${isActiveSql()} AND email = :email AND email_verified
    FOR SHARE
  ), linked AS (${insertIdentitySql('account')}), ${auditSql('identity_link', 'success', 'account', DETAIL)}, ${outboxSql('account')}
  SELECT * FROM linked`)

export const LINK_IN_SESSION = statement('identities.link-in-session', `
  WITH ${SESSION_ACCOUNT_SQL}, linked AS (${insertIdentitySql('account')}), ${auditSql('identity_link', 'success', 'account', DETAIL)}, ${outboxSql('account')}
  SELECT * FROM linked`)

export const LINK_TO_RECLAIMED = statement('identities.link-to-reclaimed', insertIdentitySql('(SELECT :userId::uuid AS user_id) AS account'))
