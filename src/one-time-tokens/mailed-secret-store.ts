import { createHash, createHmac } from 'node:crypto'
import type { Database, DbTransaction } from '../database/database.ts'
import { bindValues, statement } from '../database/statement.ts'
import { KEPT_FOR } from './store.ts'

/** What a mailed link or code is good for. */
export type MailedPurpose = 'password_reset' | 'invitation' | 'email_verification' | 'login_code' | 'email_change' | 'email_revert'

/** What a link or code is good for that belongs to no account yet. */
export type PendingPurpose = 'registration'

/** A link's token, or a code with the id of the request that it was mailed for. */
export type MailedProof = { readonly token: string } | { readonly requestId: string, readonly code: string }

/** A secret as it is mailed: a link, a code, or both. */
export interface NewMailedSecret {
  purpose: MailedPurpose
  /** 256 random bits. */
  token: string
  /** The code, and the id of its request, 128 random bits. */
  byCode?: { requestId: string, code: string }
  userId: string
  data: object
  /** By the database's clock. */
  expiresAt: Date
}

/** A link that is mailed without being asked for. */
export interface NewMailedLink extends Pick<NewMailedSecret, 'purpose' | 'token' | 'userId' | 'data'> {
  /** Seconds. */
  life: number
}

/** A secret that was shown, and can be used. */
export interface MailedSecret<Data> {
  readonly hash: Buffer
  readonly purpose: MailedPurpose
  readonly userId: string
  readonly data: Data
  /** It was shown by its link, and not by its code. */
  readonly isLink: boolean
}

/** A secret of somebody who has no account yet. */
export type NewPendingSecret = Omit<NewMailedSecret, 'purpose' | 'userId'> & { purpose: PendingPurpose }

/** Such a secret that was shown, and can be used. */
export type PendingSecret<Data> = Pick<MailedSecret<Data>, 'hash' | 'data' | 'isLink'>

/** What showing such a secret came to. */
export type ShownPending<Data> =
  | { readonly isGood: true, readonly secret: PendingSecret<Data> }
  | { readonly isGood: false, readonly refusal: Refusal }

type Refusal = 'link_invalid' | 'link_used' | 'link_expired' | 'invalid_code'

/** What showing a secret came to. A code that is wrong, and one that is used up or too old, are alike. */
export type Shown<Data> =
  | { readonly isGood: true, readonly secret: MailedSecret<Data> }
  | { readonly isGood: false, readonly refusal: Refusal, readonly userId: string | undefined }

export type MailedSecretStore = ReturnType<typeof createMailedSecretStore>

const MOST_TRIES = 5
const MOST_TRIES_OF_ACCOUNT = 30

// Asking anew voids what was mailed before, whichever of the two is delivered first: only the newest of a purpose counts. But
// each former address has its own link to come back: whoever took the account could change the address twice.
const IS_GOOD = `secret.used_at IS NULL AND secret.expires_at > now() AND (secret.purpose = 'email_revert' OR NOT EXISTS (
  SELECT FROM one_time_tokens AS newer
  WHERE newer.user_id = secret.user_id AND newer.purpose = secret.purpose AND (newer.expires_at, newer.hash) > (secret.expires_at, secret.hash)))`

// From the account's row, for it may be deleted meanwhile. Delivered again, it is stored already.
const ISSUE = statement('mailed-secrets.issue', `
  WITH secret AS (
    SELECT :hash::bytea AS hash, :purpose::text AS purpose, id AS user_id, :expiresAt::timestamptz(3) AS expires_at,
      (SELECT used_at FROM one_time_tokens WHERE hash = :hash::bytea) AS used_at
    FROM users WHERE id = :userId::uuid FOR KEY SHARE
  ), stored AS (
    INSERT INTO one_time_tokens (hash, purpose, user_id, data, expires_at, request_hash, code_mac)
    SELECT hash, purpose, user_id, :data::jsonb, expires_at, :requestHash::bytea, :codeMac::bytea FROM secret
    ON CONFLICT DO NOTHING
  )
  SELECT 1 FROM secret WHERE ${IS_GOOD}`)

// Those of several requests for one address are independent: a stranger's voids none.
const ISSUE_PENDING = statement('mailed-secrets.issue-pending', `
  WITH secret AS (
    SELECT :hash::bytea AS hash, :purpose::text AS purpose, NULL::uuid AS user_id, :expiresAt::timestamptz(3) AS expires_at,
      (SELECT used_at FROM one_time_tokens WHERE hash = :hash::bytea) AS used_at
  ), stored AS (
    INSERT INTO one_time_tokens (hash, purpose, data, expires_at, request_hash, code_mac)
    SELECT hash, purpose, :data::jsonb, expires_at, :requestHash::bytea, :codeMac::bytea FROM secret
    ON CONFLICT DO NOTHING
  )
  SELECT 1 FROM secret WHERE ${IS_GOOD}`)

// Without a code: whatever is guessed is wrong, and counted like a guess at one that was mailed. Where one was, nothing is stored.
// Stored as if it had ended a day earlier: there is no link that could be too old, and anybody can ask for any number of addresses.
const DECOY = 'decoy'
const ISSUE_DECOY = statement('mailed-secrets.issue-decoy', `
  INSERT INTO one_time_tokens (hash, purpose, expires_at, request_hash)
  VALUES (:hash::bytea, '${DECOY}', :expiresAt::timestamptz(3) - ${KEPT_FOR}, :requestHash::bytea) ON CONFLICT DO NOTHING`)

const COLUMNS = 'hash, purpose, user_id::text AS "userId", data'

const FIND_LINK = statement('mailed-secrets.find-link', `
  SELECT ${COLUMNS}, ${IS_GOOD} AS "isGood", used_at IS NOT NULL AS "isUsed"
  FROM one_time_tokens AS secret WHERE hash = :hash::bytea AND purpose = :purpose`)

// Asking anew gives no account more tries than so many in a day: of several codes guessed at once each may exceed that by its own,
// no more. All of it is looked at where the code is right alone: a wrong one is to take as long for every account, and for none.
const IS_RIGHT = `CASE WHEN encode(code_mac, 'hex') = ANY(:macs::text[]) AND purpose = ANY(:purposes::text[]) THEN ${IS_GOOD} AND (
  SELECT coalesce(sum(earlier.tries), 0) < ${MOST_TRIES_OF_ACCOUNT} FROM one_time_tokens AS earlier
  WHERE earlier.user_id = secret.user_id AND earlier.created_at > now() - interval '1 day') ELSE false END`

// One statement counts and compares: of parallel guesses, each waits for the one before it. A right one does not count, for what
// it is used for may still be refused. What has ended is not counted: a decoy is gone by then, and the time is to tell of neither. It
// counts at whichever route it is guessed, for a decoy has none of its own; but there it tells of no account.
const GUESS = statement('mailed-secrets.guess', `
  UPDATE one_time_tokens AS secret SET tries = tries + CASE WHEN ${IS_RIGHT} THEN 0 ELSE 1 END
  WHERE request_hash = :requestHash::bytea AND tries < ${MOST_TRIES}
    AND expires_at > now() - CASE purpose WHEN '${DECOY}' THEN ${KEPT_FOR} ELSE interval '0' END
  RETURNING hash, purpose, CASE WHEN purpose = ANY(:purposes::text[]) THEN user_id::text END AS "userId", data, ${IS_RIGHT} AS "isGood"`)

const USE = statement('mailed-secrets.use', `
  UPDATE one_time_tokens AS secret SET used_at = now() WHERE hash = :hash::bytea AND ${IS_GOOD} RETURNING 1`)

// Strangers' guesses are to keep no owner from codes who has come by a link. They count by when their code was stored: what each code
// has left must stay as it is.
const FORGIVE = statement('mailed-secrets.forgive', `
  UPDATE one_time_tokens SET created_at = created_at - interval '1 day'
  WHERE user_id = (SELECT user_id FROM one_time_tokens WHERE hash = :hash::bytea) AND tries > 0 AND created_at > now() - interval '1 day'`)

type Purpose = MailedPurpose | PendingPurpose
const ISSUE_LINK = statement('mailed-secrets.issue-link', `
  INSERT INTO one_time_tokens (hash, purpose, user_id, data, expires_at)
  VALUES (:hash::bytea, :purpose, :userId::uuid, :data::jsonb, now() + make_interval(secs => :life::float8))`)

// Stored in milliseconds: rounded up, it would be later than now() for the rest of the transaction.
const BY_NOW = "date_trunc('milliseconds', now())"

const VOID_MAILED_TO = statement('mailed-secrets.void-mailed-to', `
  UPDATE one_time_tokens SET expires_at = ${BY_NOW}
  WHERE user_id = :userId::uuid AND data->>'email' = :email AND purpose <> 'email_revert' AND used_at IS NULL AND expires_at > now()`)

const VOID_LATER = statement('mailed-secrets.void-later', `
  UPDATE one_time_tokens AS later SET expires_at = ${BY_NOW} FROM one_time_tokens AS secret
  WHERE secret.hash = :hash::bytea AND later.user_id = secret.user_id AND later.purpose = secret.purpose AND later.hash <> secret.hash
    AND later.used_at IS NULL AND later.expires_at > now() AND later.expires_at >= secret.expires_at`)

type Transaction = Pick<DbTransaction, '$queryRawUnsafe'>
type Row = Omit<MailedSecret<never>, 'isLink'> & { isGood: boolean, isUsed?: boolean }

/**
 * Links and codes that were mailed. Of a token the hash is stored, of a code a MAC, for all six digits can be hashed in a moment.
 *
 * @param codeKeys the keys of codes: the first signs, all verify
 */
export function createMailedSecretStore ({ query }: Pick<Database, 'query'>, codeKeys: readonly Uint8Array[]) {
  const macsOf = ({ requestId, code }: { requestId: string, code: string }) => codeKeys.map(key => createHmac('sha256', key).update(`${requestId}\0${code}`).digest())

  async function showLink<Data> (purposes: readonly Purpose[], token: string): Promise<Shown<Data>> {
    for (const purpose of purposes) {
      const [found] = await query<Row>(FIND_LINK, { hash: hashOfToken(purpose, token), purpose })
      if (found === undefined) continue
      const { isGood, isUsed, ...secret } = found
      return isGood ? { isGood, secret: { ...secret, isLink: true } } : { isGood, refusal: isUsed === true ? 'link_used' : 'link_expired', userId: secret.userId }
    }
    return { isGood: false, refusal: 'link_invalid', userId: undefined }
  }

  async function guess<Data> (purposes: readonly Purpose[], proof: { requestId: string, code: string }): Promise<Shown<Data>> {
    const [found] = await query<Row>(GUESS, { requestHash: hashOf(proof.requestId), purposes, macs: macsOf(proof).map(mac => mac.toString('hex')) })
    // Of a decoy, and of another purpose, there is no user, in SQL's word.
    if (found?.isGood !== true) return { isGood: false, refusal: 'invalid_code', userId: found?.userId ?? undefined }
    const { isGood, ...secret } = found
    return { isGood, secret: { ...secret, isLink: false } }
  }

  const show = <Data>(purposes: readonly Purpose[], proof: MailedProof): Promise<Shown<Data>> =>
    'token' in proof ? showLink(purposes, proof.token) : guess(purposes, proof)

  function valuesOf ({ purpose, token, byCode, data, expiresAt }: Omit<NewMailedSecret, 'userId' | 'purpose'> & { purpose: Purpose }) {
    return {
      hash: hashOfToken(purpose, token),
      purpose,
      data: JSON.stringify(data),
      expiresAt,
      requestHash: byCode === undefined ? null : hashOf(byCode.requestId),
      codeMac: byCode === undefined ? null : macsOf(byCode)[0] ?? null
    }
  }

  return {
    /**
     * Stores a secret before it is mailed. Repeating it changes nothing.
     *
     * @returns whether it is good: not where it was used, is too old, a newer one was asked for, or the account is gone
     */
    async issue ({ userId, ...secret }: NewMailedSecret): Promise<boolean> {
      return (await query(ISSUE, { ...valuesOf(secret), userId })).length === 1
    },

    /** The same for a secret that belongs to no account yet. @returns whether it is good: not where it was used, or is too old */
    async issuePending (secret: NewPendingSecret): Promise<boolean> {
      return (await query(ISSUE_PENDING, valuesOf(secret))).length === 1
    },

    /**
     * Stores what a guess takes as long with as with a secret, for a request that no code was mailed for: the time that a wrong
     * code takes must not tell whether there is an account. Repeating it changes nothing.
     */
    async issueDecoy ({ token, requestId, expiresAt }: { token: string, requestId: string, expiresAt: Date }): Promise<void> {
      await query(ISSUE_DECOY, { hash: hashOfToken(DECOY, token), expiresAt, requestHash: hashOf(requestId) })
    },

    /** Looks at a link, and counts a wrong code. Uses up nothing. */
    show: <Data>(purposes: readonly MailedPurpose[], proof: MailedProof): Promise<Shown<Data>> => show(purposes, proof),

    /** The same for a secret that belongs to no account yet. */
    showPending: <Data>(purpose: PendingPurpose, proof: MailedProof): Promise<ShownPending<Data>> => show([purpose], proof)
  }
}

/**
 * Uses up a secret within the transaction of what it is for. Whoever shows a link has proved the account: wrong codes until then no
 * longer count for it.
 *
 * @returns whether it was still good
 */
export async function useMailedSecret (tx: Transaction, secret: Pick<MailedSecret<unknown>, 'hash' | 'isLink'>): Promise<boolean> {
  const hash = Uint8Array.from(secret.hash)
  const rows = await tx.$queryRawUnsafe<unknown[]>(USE.text, ...bindValues(USE, { hash }))
  if (rows.length === 0) return false
  if (secret.isLink) await tx.$queryRawUnsafe(FORGIVE.text, ...bindValues(FORGIVE, { hash }))
  return true
}

/** Stores a link within the transaction that has it mailed. */
export async function issueMailedLink (tx: Transaction, { purpose, token, data, ...link }: NewMailedLink): Promise<void> {
  await tx.$queryRawUnsafe(ISSUE_LINK.text, ...bindValues(ISSUE_LINK, { ...link, purpose, hash: Uint8Array.from(hashOfToken(purpose, token)), data: JSON.stringify(data) }))
}

/** Makes what was mailed to an address of an account too old, within a transaction; but not the links to come back to it. */
export async function voidMailedTo (tx: Transaction, userId: string, email: string): Promise<void> {
  await tx.$queryRawUnsafe(VOID_MAILED_TO.text, ...bindValues(VOID_MAILED_TO, { userId, email }))
}

/** Makes what was mailed later than a secret, for the same purpose, too old. */
export async function voidLaterSecrets (tx: Transaction, { hash }: Pick<MailedSecret<unknown>, 'hash'>): Promise<void> {
  await tx.$queryRawUnsafe(VOID_LATER.text, ...bindValues(VOID_LATER, { hash: Uint8Array.from(hash) }))
}

// Of purpose and token: the same text for another purpose is another token.
function hashOfToken (purpose: Purpose | typeof DECOY, token: string): Buffer {
  return hashOf(`${purpose}:${token}`)
}

function hashOf (text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
