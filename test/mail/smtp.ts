import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { simpleParser, type ParsedMail } from 'mailparser'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { Test } from 'tap'
import type { SmtpServer } from '../../src/config/mail-settings.ts'
import type { ComposedMail } from '../../src/mail/letter.ts'
import { createSmtpTransport } from '../../src/mail/smtp-transport.ts'
import { temporaryDirectory } from '../support/database.ts'

/** A mail that a server took. */
export interface Received {
  readonly mail: ParsedMail
  /** As it came. */
  readonly source: string
  /** Of the envelope. */
  readonly from: string
  readonly to: readonly string[]
}

/** Where an SMTP server may refuse, or hang. */
export type Stage = 'greeting' | 'AUTH' | 'MAIL FROM' | 'RCPT TO' | 'DATA'

/** What a server answers at one stage: a code, or nothing at all. */
export interface Trouble { stage: Stage, code?: number }

/** A real SMTP server on the loopback, which is gone when the test ends. */
export interface TestSmtp {
  readonly server: SmtpServer
  readonly url: string
  readonly received: Received[]
  /** How often a client has come to each stage. */
  readonly reached: Partial<Record<Stage, number>>
  /** What goes wrong from now on. @param of only for a recipient that it says so of */
  trouble: (Trouble & { of?: (recipient: string) => boolean }) | undefined
  close (): Promise<void>
}

export async function startSmtp (t: Test, { port = 0, tls = 'none', ...options }: SMTPServerOptions & { port?: number, tls?: SmtpServer['tls'] } = {}): Promise<TestSmtp> {
  const received: Received[] = []
  const smtp: Pick<TestSmtp, 'trouble' | 'reached'> = { trouble: undefined, reached: {} }

  function answer (stage: Stage, callback: (error?: Error | null) => void, recipient = ''): void {
    const { trouble, reached } = smtp
    reached[stage] = (reached[stage] ?? 0) + 1
    if (trouble?.stage !== stage || trouble.of?.(recipient) === false) return callback()
    if (trouble.code !== undefined) callback(Object.assign(new Error(`not now, ${recipient}`), { responseCode: trouble.code }))
  }

  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    logger: false,
    ...tls === 'none' && { hideSTARTTLS: true, allowInsecureAuth: true },
    ...options,
    onConnect: (_session, callback) => answer('greeting', callback),
    onAuth: (_login, _session, callback) => answer('AUTH', error => callback(error, { user: 'ada' })),
    onMailFrom: (_address, _session, callback) => answer('MAIL FROM', callback),
    onRcptTo: ({ address }, _session, callback) => answer('RCPT TO', callback, address),
    onData (stream, { envelope: { mailFrom, rcptTo } }, callback) {
      buffer(stream).then(async source => {
        if (smtp.trouble?.stage !== 'DATA') received.push({ mail: await simpleParser(source), source: source.toString(), from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address) })
        answer('DATA', callback)
      }).catch(callback)
    }
  })
  server.on('error', () => {})
  await new Promise<void>(resolve => { server.listen(port, '127.0.0.1', resolve) })
  const { port: actual } = server.server.address() as AddressInfo
  let isClosed = false
  const close = async () => {
    if (isClosed) return
    isClosed = true
    // Connections that hang end only so.
    for (const connection of server.connections) connection.close()
    await new Promise<void>(resolve => { server.close(() => resolve()) })
  }
  t.teardown(close)
  return Object.assign(smtp, { server: { host: '127.0.0.1', port: actual, tls }, url: `smtp://127.0.0.1:${actual}`, received, close })
}

/** A transport to a server, and what it logged. */
export function transportTo (t: Test, server: SmtpServer, ca?: string) {
  const logged: string[] = []
  const details: object[] = []
  const note = (detail: object, message = '') => { logged.push(message); details.push(detail) }
  const transport = createSmtpTransport({ server, log: { info: note, warn: note, error: note }, ...ca !== undefined && { ca } })
  t.teardown(transport.close)
  return { ...transport, logged, details }
}

/** A message to somebody. */
export function mailTo (address: string, mail: Partial<ComposedMail> = {}): ComposedMail {
  return { id: crypto.randomUUID(), message: 'test', from: { name: 'Example, Shop', address: 'no-reply@shop.example' }, to: { name: '', address }, subject: 'Hello', text: 'Hello\n', ...mail }
}

/** A key, and a certificate of its own for a host. */
export async function selfSigned (t: Test, host: string): Promise<{ key: string, cert: string }> {
  const directory = await temporaryDirectory(t)
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', `/CN=${host}`, '-addext', `subjectAltName=IP:${host}`], { stdio: 'ignore' })
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}
