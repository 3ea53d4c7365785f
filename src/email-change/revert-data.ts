/** What a link to come back to an address was issued with. */
export interface RevertData {
  /** The address. */
  email: string
  /** When the change was asked for, in ISO 8601 by the database's clock: what was added since is removed. */
  since: string
  /** Of the password at that time; `null` where there was none. */
  passwordTag: string | null
}

/** How long the owner of a former address can come back, in days. */
export const REVERT_DAYS = 7

/** The same in seconds. */
export const REVERT_LIFE = REVERT_DAYS * 86_400

/** SQL: tells one stored password from another, without being it. */
export function passwordTagSql (user: string): string {
  return `encode(sha256(convert_to(${user}.password_hash, 'UTF8')), 'hex')`
}
