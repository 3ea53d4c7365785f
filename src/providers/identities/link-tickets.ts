import { randomBytes } from 'node:crypto'
import type { Encryption } from '../../tokens/encryption.ts'
import type { FlowPurpose } from '../flow/authorization-flows.ts'
import type { LinkingSession } from './identity-store.ts'

/** The start of linking in a mobile app, to be continued in the system's browser. */
export interface LinkStart {
  /** The id of the provider. */
  provider: string
  redirectTo: string
  purpose: Extract<FlowPurpose, { kind: 'app_link' }>
}

const CONTEXT = 'link-ticket'
const LIFE = 60_000
// How far the clocks of two instances may differ.
const CLOCK_DIFFERENCE = 60_000

export type LinkTickets = ReturnType<typeof createLinkTickets>

/**
 * Tickets in the URL that an app opens in the system's browser, which has neither the app's session nor its cookies.
 *
 * @param now the database's clock, in milliseconds since 1970
 */
export function createLinkTickets (encryption: Encryption, now: () => number) {
  return {
    /** @returns a ticket that is valid for a minute */
    write ({ provider, redirectTo, session, codeChallenge }: { provider: string, redirectTo: string, session: LinkingSession, codeChallenge: string }): string {
      const purpose = { kind: 'app_link', id: randomBytes(16).toString('base64url'), ...session, codeChallenge } as const
      return encryption.encrypt(JSON.stringify({ provider, redirectTo, purpose, until: now() + LIFE }), CONTEXT)
    },

    /** @returns `undefined` when the ticket is forged or has expired */
    read (ticket: string): LinkStart | undefined {
      const text = encryption.decrypt(ticket, CONTEXT)
      if (text === undefined) return undefined
      const { until, ...start } = JSON.parse(text) as LinkStart & { until: number }
      const left = until - now()
      return left > 0 && left <= LIFE + CLOCK_DIFFERENCE ? start : undefined
    }
  }
}
