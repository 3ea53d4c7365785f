import type { ComposedMail, Transport } from './letter.ts'

/** A mail that was not sent, as `/dev/mail` shows it. */
export interface KeptMail extends Pick<ComposedMail, 'id' | 'message' | 'subject' | 'text' | 'html'> {
  at: string
  to: string
}

export type Inbox = readonly KeptMail[]

const MOST = 50

/** Sends nothing: prints mails, and keeps the last 50. For development. */
export function createDevelopmentTransport (write: (text: string) => void): Transport & { inbox: Inbox } {
  const inbox: KeptMail[] = []
  return {
    inbox,
    async send ({ id, message, to: { address: to }, subject, text, html }) {
      inbox.unshift({ id, at: new Date().toISOString(), message, to, subject, text, ...html !== undefined && { html } })
      inbox.splice(MOST)
      write(`\n  Mail to ${to} (not sent: SMTP_URL is not set)\n  Subject: ${subject}\n\n${text.replace(/^(?=.)/gm, '  ')}\n`)
      return { outcome: 'delivered' }
    },
    pausedFor: () => 0,
    close () {}
  }
}
