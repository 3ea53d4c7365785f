import type { Revocation } from 'countersign-verifier/internal'

/** Revocations as server-sent events, ready to be sent to any number of subscribers. */
export function revocationEvents (revocations: readonly Revocation[]): Buffer {
  return Buffer.from(revocations.map(revocation => `event: revocation\ndata: ${JSON.stringify(revocation)}\n\n`).join(''))
}

/**
 * Attests that everything was sent that the ledger held when a read of it began.
 *
 * @param cursor what a subscriber that reconnects continues from
 * @param ageMs how long ago that read began
 */
export function syncEvent (cursor: string, ageMs: number): Buffer {
  return Buffer.from(`event: sync\nid: ${cursor}\ndata: ${JSON.stringify({ ageMs: Math.ceil(ageMs) })}\n\n`)
}
