import { domainToASCII } from 'node:url'
import { NOTICES, type Notice } from '../messages/mail-messages.ts'
import { inGroup } from './define-setting.ts'
import { flag, isLoopback, list, oneOf, text, type Parse } from './parsers.ts'

const mail = inGroup('Mail')

/** A mailbox as messages name it. Never joined to one text: a comma in it would make two of it. */
export interface Mailbox {
  readonly name: string
  readonly address: string
}

/** The server that mail is handed to. */
export interface SmtpServer {
  readonly host: string
  readonly port: number
  /** `implicit`: from the first byte (smtps). `starttls`: required. `none`: not even where it is offered. */
  readonly tls: 'implicit' | 'starttls' | 'none'
  readonly login?: { readonly user: string, readonly password: string }
}

const SMTP_FORM = 'must be smtps://user:password@host:port, or smtp:// for STARTTLS (without any encryption: smtp://host?tls=off)'

/** Parsed here: nodemailer would take any query key as an option, and send a password in plain text where STARTTLS is missing. */
export const smtpUrl: Parse<SmtpServer> = given => {
  const refuse = (): never => { throw new RangeError(SMTP_FORM) }
  if (!URL.canParse(given)) refuse()
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(given)
  const isSecure = protocol === 'smtps:'
  if (!(isSecure || protocol === 'smtp:') || !/^(?:[a-z0-9-]+\.)*[a-z0-9-]+$|^\[[0-9a-f:.]+\]$/i.test(hostname) || pathname.length > 1 || hash !== '') refuse()
  if (!(search === '' || (search === '?tls=off' && !isSecure)) || (username === '') !== (password === '')) refuse()
  const isPlain = search === '?tls=off' || isLoopback({ hostname } as URL)
  return {
    host: hostname.replace(/^\[|\]$/g, '').toLowerCase(),
    port: port === '' ? isSecure ? 465 : 587 : Number(port),
    tls: isSecure ? 'implicit' : isPlain ? 'none' : 'starttls',
    ...username !== '' && { login: { user: decoded(username, refuse), password: decoded(password, refuse) } }
  }
}

function decoded (part: string, refuse: () => never): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return refuse()
  }
}

/** `Example <no-reply@example.com>`, or the address alone. */
export const mailbox: Parse<Mailbox> = given => {
  const [, name = '', address = ''] = /^\s*(?:"?([^"<>\p{Cc}]*?)"?\s*<([^<>]+)>|)\s*$/u.exec(given.includes('<') ? given : `<${given.trim()}>`) ?? []
  const [, local = '', domain = ''] = /^([^\s@\p{Cc}"(),:;<>[\]\\]{1,64})@([^\s@]{1,253})$/u.exec(address) ?? []
  const host = domainToASCII(domain)
  if (local === '' || host === '') throw new RangeError('must be an address, or a name and an address in angle brackets')
  return { name, address: `${local}@${host}` }
}

const LINK = 'must be a URL such as https://app.example.com/mail/{purpose}#{token}, with {token} once, behind the host'

/** Where links in mails lead: a URL with `{token}`, and `{purpose}` where one page is not for all. */
export const linksUrl: Parse<string> = given => {
  const sample = given.replaceAll('{purpose}', 'reset').replace('{token}', 'token')
  if (!URL.canParse(sample) || /[{}\s]/.test(sample) || !given.includes('{token}')) throw new RangeError(LINK)
  const url = new URL(sample)
  const place = url.pathname + url.search + url.hash
  if (!place.includes('token') || url.username + url.password !== '' || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url)))) throw new RangeError(`${LINK}; http:// on the loopback only`)
  if (/^[^/]*\/\/[^/]*\{/.test(given)) throw new RangeError(LINK)
  return given
}

/** Which notices are sent. */
export const notices: Parse<readonly Notice[], 'all' | 'none' | readonly Notice[]> = given => {
  if (given === 'all') return NOTICES
  return given === 'none' ? [] : list(oneOf(...NOTICES))(given)
}

const serviceName: Parse<string> = given => {
  if (!/^[^\p{Cc}]{1,60}$/u.test(given)) throw new RangeError('must be a name of at most 60 characters')
  return given
}

/** The settings of mail. */
export const mailSettings = {
  serviceName: mail('SERVICE_NAME', serviceName, { defaultDescription: 'the host of PUBLIC_URL', example: 'Example Shop', description: 'What mails and pages call the service. No password is made of it.' }),
  smtpUrl: mail('SMTP_URL', smtpUrl, { defaultDescription: 'none: in development mails are printed and listed at `/dev/mail`; in production none is sent', example: 'smtps://user:password@smtp.example.com', description: 'The server that sends mail. With `smtp://` STARTTLS is required, except on the loopback or with `?tls=off`.' }),
  mailFrom: mail('MAIL_FROM', mailbox, { defaultDescription: 'required beside SMTP_URL', example: 'Example Shop <no-reply@example.com>', description: 'The sender of mails.' }),
  mailLinksUrl: mail('MAIL_LINKS_URL', linksUrl, { defaultDescription: 'the service\'s own pages', example: 'https://app.example.com/mail/{purpose}#{token}', description: 'Where links in mails lead: a page of your own front end.' }),
  mailTemplatesDir: mail('MAIL_TEMPLATES_DIR', text, { defaultDescription: 'the built-in messages', example: '/etc/countersign/mail', description: 'A directory with texts of your own, as `<locale>/<message>.txt` and `.html`. All of them are checked at the start.' }),
  mailNotices: mail('MAIL_NOTICES', notices, { default: 'all', example: 'new_device,password_changed', description: `Which notices users get: \`all\`, \`none\`, or a list of ${NOTICES.join(', ')}.` }),
  requireVerifiedEmail: mail('REQUIRE_VERIFIED_EMAIL', flag, { default: 'false', example: 'true', description: 'Accounts are made only once their address is proved by a mailed code. In production it requires SMTP_URL.' }),
  codeLogin: mail('CODE_LOGIN', flag, { default: 'false', example: 'true', description: 'Allows logging in by a mailed code instead of a password.' })
} as const
