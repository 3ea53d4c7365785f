import type { Revocation } from 'countersign-verifier/internal'

/** Revocations as the feed tells them, ready to be sent to any number of followers. */
export function revocationEvents (revocations: readonly Revocation[]): Buffer {
  return Buffer.from(revocations.map(revocation => `event: revocation\ndata: ${JSON.stringify(revocation)}\n\n`).join(''))
}

/**
 * Attests that everything was told that the ledger held when a read of it began.
 *
 * @param cursor what a follower that comes back continues from
 * @param ageMs how long ago that read began
 */
export function syncEvent (cursor: string, ageMs: number): Buffer {
  return Buffer.from(`event: sync\nid: ${cursor}\ndata: ${JSON.stringify({ ageMs: Math.ceil(ageMs) })}\n\n`)
}
