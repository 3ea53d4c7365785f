import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Html } from '../http/html.ts'
import type { ClientInfo } from '../http/client-info.ts'
import type { ReportLimits } from '../limits/attempt-limiter.ts'
import type { Locale } from '../messages/locales.ts'
import type { PageTexts } from './problem-text.ts'

/** What is known of a link before its button is pressed. */
export interface LinkDetails {
  /** The address that it was mailed to. */
  email?: string
  /** Whether whoever opens it has to give the password of the account. */
  needsPassword?: boolean
}

/** What the form of a page sent. */
export interface Submission {
  token: string
  /** The other fields; one that is missing is empty. */
  field (name: string): string
  client: ClientInfo
  /** Aborts when the client disconnects. */
  signal: AbortSignal
  /** Gets the headers of the limits. */
  report: ReportLimits
  /** What the browser prefers, where it is one of ours. */
  locale: Locale | undefined
  request: FastifyRequest
  reply: FastifyReply
}

/** What the fields of a form are made of. */
export interface FormContext extends LinkDetails {
  texts: PageTexts
  /** Why the last attempt was refused, in words. */
  objection: string | undefined
}

/**
 * A page that a link in a mail leads to. Opening it uses up nothing, for mail scanners open links too: its button does, by a POST
 * to the same path.
 */
export interface LinkPage {
  /** Behind `PUBLIC_URL` and the prefix of the routes; as `mail/links.ts` has it. */
  readonly path: string
  /** Its texts in the catalogue. */
  readonly texts: keyof PageTexts['links']
  /** Looks at a token, and uses up nothing. @throws Problem where it is no good */
  look (token: string, request: FastifyRequest): Promise<LinkDetails>
  /** Whether it says nothing without a token; `true` by default. */
  readonly needsToken?: boolean
  /** The fields of its form beside the token; none by default. */
  fields? (context: FormContext): Html
  /** What the button does. @throws Problem */
  act (submission: Submission): Promise<void>
}
