/** What is to leave the service once the act that causes it is committed. */
export interface NewMessage {
  /** Which channel delivers it. */
  kind: string
  /** Stored encrypted, as JSON. */
  payload: object
  /** How long it may be delivered, in seconds. */
  expiresIn: number
  /** The account it is about, where the act's statement does not say. */
  userId?: string | undefined
  /** Messages of one lane are delivered in order. */
  lane?: string | undefined
}

/** A message that is being delivered. */
export interface OutboxMessage {
  readonly id: string
  readonly kind: string
  readonly userId: string | null
  readonly payload: unknown
  /** How often delivery was tried, this time included. */
  readonly attempts: number
  readonly expiresAt: Date
}

/** What came of an attempt. Reasons are stored and logged: they hold no secret and no address. */
export type Delivery =
  /** It has left, or there is nobody to send it to any more. */
  | { readonly outcome: 'delivered' }
  /** It is tried again later. So is what threw. */
  | { readonly outcome: 'retry', readonly reason: string }
  /** It is never tried again, unless somebody asks for it. */
  | { readonly outcome: 'undeliverable', readonly reason: string }
  /** The channel takes none for a while. Not counted as an attempt. */
  | { readonly outcome: 'paused', readonly reason: string }

/** Delivers messages of some kinds. */
export interface Channel {
  readonly kinds: readonly string[]
  /** @param signal aborts when the message's time is over, or the service stops */
  deliver (message: OutboxMessage, signal: AbortSignal): Promise<Delivery>
  /** @returns for how many ms the channel takes no messages; 0 where it does */
  pausedFor (): number
}

/** Encrypts a text for one context. */
export interface PayloadEncryption {
  readonly keyId: string
  encrypt (text: string, context: string): string
  decrypt (encrypted: string, context: string): string | undefined
}

/** A payload can be decrypted as that of its own message only. */
export function contextOf (id: string): string {
  return `outbox:${id}`
}
