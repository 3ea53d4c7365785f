import type { DbTransaction } from '../database/database.ts'
import { endSessions } from './end-session-store.ts'

/** Why sessions end whose account was given to the owner of its address. */
const REASON = 'claimed'

/**
 * Leaves nothing on an account by which anybody could enter it, but its password, which the caller replaces or removes: for the
 * person who has proved an address that was never verified. Somebody else may have registered it.
 *
 * @param keep the hash of a one-time token that stays
 */
export async function removeWaysIn (tx: DbTransaction, userId: string, keep?: Uint8Array): Promise<void> {
  await endSessions(tx, userId, REASON)
  await tx.identity.deleteMany({ where: { userId } })
  await tx.oneTimeToken.deleteMany({ where: { userId, ...keep !== undefined && { hash: { not: Uint8Array.from(keep) } } } })
  await tx.emailHold.deleteMany({ where: { userId } })
}

/**
 * Removes what was added to an account since somebody may have taken it, within a transaction: for its owner, who takes it back.
 * What was there before stays, and so do the links to come back to a former address; the password is for the caller to judge.
 *
 * @param since by the database's clock
 */
export async function removeWaysInSince (tx: DbTransaction, userId: string, since: Date): Promise<void> {
  await tx.identity.deleteMany({ where: { userId, createdAt: { gte: since } } })
  await tx.oneTimeToken.deleteMany({ where: { userId, purpose: { not: 'email_revert' } } })
}
