import { randomBytes } from 'node:crypto'
import type { Encryption } from '../../tokens/encryption.ts'
import type { FlowPurpose } from '../flow/authorization-flows.ts'

/** What an app began in its session, for the system's browser to go on with. */
export interface BegunLink {
  /** The id of the provider. */
  provider: string
  redirectTo: string
  purpose: Extract<FlowPurpose, { kind: 'app_link' }>
}

/** The part of the address that an app opens in the system's browser, which has neither its session nor its cookies. */
export interface LinkTickets {
  /** Good for a minute. */
  write (begun: { provider: string, redirectTo: string, session: { userId: string, sessionId: string }, codeChallenge: string }): string
  /** @returns `undefined` where the ticket was not made here, or too long ago */
  read (ticket: string): BegunLink | undefined
}

const CONTEXT = 'link-ticket'
const LIFE = 60_000

/** @param now milliseconds since 1970 */
export function createLinkTickets (encryption: Encryption, now: () => number = () => Date.now()): LinkTickets {
  return {
    write ({ provider, redirectTo, session, codeChallenge }) {
      const purpose = { kind: 'app_link', id: randomBytes(16).toString('base64url'), ...session, codeChallenge } as const
      return encryption.encrypt(JSON.stringify({ provider, redirectTo, purpose, until: now() + LIFE }), CONTEXT)
    },

    read (ticket) {
      const text = encryption.decrypt(ticket, CONTEXT)
      if (text === undefined) return undefined
      const { until, ...begun } = JSON.parse(text) as BegunLink & { until: number }
      return now() < until ? begun : undefined
    }
  }
}
