import type { DbTransaction } from '../database/database.ts'
import { bindValues, statement } from '../database/statement.ts'
import { Problem } from '../errors.ts'
import { hashOf } from '../one-time-tokens/store.ts'

interface RestoreToken { userId: string, isUsed: boolean, isInTime: boolean }

const ISSUE = statement('restore-tokens.issue', `
  INSERT INTO one_time_tokens (hash, purpose, user_id, expires_at) VALUES (:hash::bytea, 'restore', :userId::uuid, :expiresAt::timestamptz)`)

const FIND = statement('restore-tokens.find', `
  SELECT user_id::text AS "userId", used_at IS NOT NULL AS "isUsed", expires_at > now() AS "isInTime" FROM one_time_tokens WHERE hash = :hash::bytea AND purpose = 'restore'`)

const REDEEM = statement('restore-tokens.redeem', `
  UPDATE one_time_tokens SET used_at = now() WHERE hash = :hash::bytea AND purpose = 'restore' AND used_at IS NULL AND expires_at > now() RETURNING 1`)

/** Stores the token by which a deletion can be taken back; an earlier one of the account is void. */
export async function issueRestoreToken (tx: DbTransaction, { userId, token, expiresAt }: { userId: string, token: string, expiresAt: Date }): Promise<void> {
  await dropRestoreTokens(tx, userId)
  await tx.$queryRawUnsafe(ISSUE.text, ...bindValues(ISSUE, { hash: bytesOf(token), userId, expiresAt }))
}

/** @returns whose token it is; `undefined` where it was never issued, or is void */
export async function findRestoreToken (tx: DbTransaction, token: string): Promise<RestoreToken | undefined> {
  const [found] = await tx.$queryRawUnsafe<RestoreToken[]>(FIND.text, ...bindValues(FIND, { hash: bytesOf(token) }))
  return found
}

/** Looks at a token, and uses up nothing. @throws Problem `link_invalid`, `link_used`, `link_expired` */
export async function assertRestoreToken (tx: DbTransaction, token: string): Promise<void> {
  const found = await findRestoreToken(tx, token)
  if (found === undefined) throw new Problem('link_invalid')
  if (found.isUsed) throw new Problem('link_used')
  if (!found.isInTime) throw new Problem('link_expired')
}

/** Uses up a token. @throws Problem `link_invalid`, `link_used`, `link_expired` */
export async function redeemRestoreToken (tx: DbTransaction, token: string): Promise<void> {
  const redeemed = await tx.$queryRawUnsafe<unknown[]>(REDEEM.text, ...bindValues(REDEEM, { hash: bytesOf(token) }))
  if (redeemed.length === 1) return
  await assertRestoreToken(tx, token)
  throw new Problem('unavailable')
}

/** Makes the tokens of an account void. */
export async function dropRestoreTokens (tx: DbTransaction, userId: string): Promise<void> {
  await tx.oneTimeToken.deleteMany({ where: { userId, purpose: 'restore' } })
}

function bytesOf (token: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hashOf('restore', token))
}
