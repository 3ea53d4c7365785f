import type { SMTPPoolOptions } from 'nodemailer'
import type { SmtpServer } from '../config/mail-settings.ts'
import type { Log } from '../database/database.ts'
import type { ComposedMail, Sent, Transport } from './letter.ts'
import { createPause } from './pause.ts'
import { classifyFailure, describeFailure, isAddressRefusal, type SmtpFailure } from './smtp-failure.ts'

export interface SmtpTransportDeps {
  server: SmtpServer
  log: Log
  /** What tests trust beside the authorities that Node does. */
  ca?: string
}

const CONNECTIONS = 3
const CONNECT_WITHIN = 5_000
const ANSWER_WITHIN = 15_000
// So many refused in a row are no coincidence: the server refuses us, as where a quota is used up.
const QUOTA_AFTER = 5

/** Sends mail by SMTP, over connections that are kept. nodemailer is loaded with the first message. */
export function createSmtpTransport ({ server, log, ca }: SmtpTransportDeps): Transport {
  const pause = createPause()
  // Since the last delivery; no more than tell a quota.
  const refused = new Set<string>()
  let loading: ReturnType<typeof load> | undefined
  let said: SmtpFailure | 'quota' | undefined
  let isProbing = false

  async function load () {
    const { createTransport } = await import('nodemailer')
    return createTransport(poolOptions(server, ca))
  }

  function say (failure: SmtpFailure | 'quota', reason: string): void {
    const isSaid = said !== undefined && wordsFor(said) === wordsFor(failure)
    said = failure
    if (!isSaid) log.warn({ reason, smtp: `${server.host}:${server.port}` }, wordsFor(failure))
  }

  function succeed (): Sent {
    if (said !== undefined) log.info({ smtp: `${server.host}:${server.port}` }, 'mail is sent again')
    said = undefined
    refused.clear()
    pause.end()
    return { outcome: 'delivered' }
  }

  /** @returns whether as many were refused in a row as tell a quota. The row lasts until something is delivered, over any pauses */
  function isOfQuota (address: string): boolean {
    if (refused.size < QUOTA_AFTER) refused.add(address)
    return refused.size >= QUOTA_AFTER
  }

  function fail (error: unknown, address: string): Sent {
    const failure = classifyFailure(error)
    const reason = describeFailure(error)
    if (failure === 'temporary') {
      say(failure, reason)
      return { outcome: 'retry', reason }
    }
    if (failure === 'refused' && !isOfQuota(address)) return { outcome: 'undeliverable', reason, isAddressRefused: isAddressRefusal(error) }
    pause.begin()
    say(failure === 'refused' ? 'quota' : 'misconfigured', reason)
    return { outcome: 'paused', reason }
  }

  return {
    async send (mail, signal) {
      // After a pause one message tries whether it is over: many failed logins at once could lock the account. Not where recipients were
      // refused: addresses that are no good must not keep the others waiting.
      const isProbe = said === 'misconfigured'
      if (isProbe && isProbing) return { outcome: 'paused', reason: 'waits for another message to be taken first' }
      if (isProbe) isProbing = true
      try {
        const transporter = await (loading ??= load())
        await transporter.sendMail({ ...messageOf(mail), ...signal !== undefined && { signal } })
        return succeed()
      } catch (error) {
        return fail(error, mail.to.address)
      } finally {
        if (isProbe) isProbing = false
      }
    },
    pausedFor: pause.remaining,
    close: () => { loading?.then(transporter => transporter.close()).catch(() => {}) }
  }
}

function wordsFor (failure: SmtpFailure | 'quota'): string {
  return failure === 'temporary' ? 'mail is delayed' : 'mail is paused: the server takes nothing'
}

function poolOptions ({ host, port, tls, login }: SmtpServer, ca: string | undefined): SMTPPoolOptions & { pool: true } {
  return {
    pool: true,
    maxConnections: CONNECTIONS,
    // The outbox tries again, and counts.
    maxRequeues: 0,
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...login !== undefined && { auth: { user: login.user, pass: login.password } },
    ...ca !== undefined && { tls: { ca } },
    connectionTimeout: CONNECT_WITHIN,
    greetingTimeout: CONNECT_WITHIN,
    socketTimeout: ANSWER_WITHIN,
    disableFileAccess: true,
    disableUrlAccess: true
  }
}

function messageOf ({ id, from, to, subject, text, html }: ComposedMail) {
  return {
    from,
    // An object, never a string: a comma in a string makes two recipients.
    to: [to],
    subject,
    text,
    ...html !== undefined && { html },
    // A copy has the same, by which mail systems know it.
    messageId: `<${id}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true
  }
}
