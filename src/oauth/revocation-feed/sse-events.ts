import type { Revocation } from 'countersign-verifier/internal'

/** Revocations as server-sent events, ready to be sent to any number of subscribers. */
export function revocationEvents (revocations: readonly Revocation[]): Buffer {
  return Buffer.from(revocations.map(revocation => `event: revocation\ndata: ${JSON.stringify(revocation)}\n\n`).join(''))
}

/** What a sync attests. */
export interface Attested {
  /** What a subscriber that reconnects continues from. */
  cursor: string
  /** How many milliseconds ago the read of the ledger began. */
  ageMs: number
  /** The ledger's clock now, in Unix milliseconds: the one that `expiresAt` is by. */
  nowMs: number
}

/** Attests that everything was sent that the ledger held when a read of it began. */
export function syncEvent ({ cursor, ageMs, nowMs }: Attested): Buffer {
  return Buffer.from(`event: sync\nid: ${cursor}\ndata: ${JSON.stringify({ ageMs: Math.ceil(ageMs), nowMs: Math.floor(nowMs) })}\n\n`)
}
