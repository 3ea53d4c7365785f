import { isError } from '../config/error-code.ts'

/** What a failure to send means. */
export type SmtpFailure =
  /** The server does not take this message, now or ever. */
  | 'refused'
  /** It takes nothing as things are configured: no message is to blame. */
  | 'misconfigured'
  /** It may work later. */
  | 'temporary'

/** What nodemailer says of a failure. */
interface SmtpError {
  code?: string
  /** Of the system, where `code` says only which kind. */
  originalCode?: string
  /** The command that was answered. */
  command?: string
  responseCode?: number
  response?: string
}

// Of Node and OpenSSL: an unknown issuer, another name, one that has expired.
const BAD_CERTIFICATE = /CERT|SSL|TLS|SIGNATURE|ISSUER/
const ADDRESS = /[^\s<>()"',;:]+@[^\s<>()"',;:]+/g
// Addressing, mailbox, routing.
const ABOUT_ADDRESS = ['1', '2', '4']
const LONGEST = 200

/**
 * Only an answer from 500 on to RCPT TO or DATA is about the message (RFC 5321 §4.2.1). To anything else, as to a login, or to
 * STARTTLS where it is not offered, it is about the configuration.
 */
export function classifyFailure (error: unknown): SmtpFailure {
  const { code, originalCode = '', command = '', responseCode = 0 } = error as SmtpError
  if (responseCode >= 500) return command === 'RCPT TO' || command === 'DATA' ? 'refused' : 'misconfigured'
  if (responseCode > 0) return 'temporary'
  if (code === 'EAUTH' || code === 'ETLS' || BAD_CERTIFICATE.test(originalCode)) return 'misconfigured'
  // Never sent: larger than the server takes, or an address that SMTP cannot carry.
  return code === 'EMESSAGE' || code === 'EENVELOPE' ? 'refused' : 'temporary'
}

/**
 * Whether the server says that there is no such mailbox, or that it takes nothing: a message that is refused for what it holds,
 * or for who sends it, says nothing of its address. The enhanced code (RFC 3463) tells, where there is one.
 */
export function isAddressRefusal (error: unknown): boolean {
  const { command, responseCode = 0, response = '' } = error as SmtpError
  const [, subject] = /^5\d\d[ -]5\.(\d{1,3})\.\d/.exec(response) ?? []
  return command === 'RCPT TO' && responseCode >= 500 && (subject === undefined || ABOUT_ADDRESS.includes(subject))
}

/** @returns what failed, for the log and the operator: one line, without the addresses that servers like to repeat */
export function describeFailure (error: unknown): string {
  const { code, originalCode, command, response } = error as SmtpError
  const message = isError(error) && response === undefined ? error.message : ''
  return [command, response ?? message, response === undefined ? originalCode ?? code : undefined].filter(Boolean).join(': ')
    .replace(ADDRESS, '<address>').replace(/[\p{Cc}\s]+/gu, ' ').slice(0, LONGEST)
}
