import { parseDocument, DomUtils } from 'htmlparser2'
import t from 'tap'
import { createMailer } from '../../src/mail/mailer.ts'
import { createRender } from '../../src/mail/render.ts'
import { LOCALES } from '../../src/messages/locales.ts'
import { LINK_AT_LEAST, MAIL_MESSAGES, type MailData, type MailMessage, type MailValues } from '../../src/messages/mail-messages.ts'
import { startSmtp, transportTo } from './smtp.ts'

const VALUES: MailValues = {
  link: 'https://auth.example.com/account/reset?token=0123456789abcdefghijklmnopqrstuvwxyzABCDEFG',
  code: '042917',
  minutes: 10,
  days: 7,
  email: 'grace@example.com',
  device: 'Firefox on Linux',
  provider: 'Acme',
  factor: 'passkey',
  change: 'removed',
  at: '2026-03-01T22:59:00.000Z',
  until: '2026-03-31T22:59:00.000Z'
}
const SERVICE = 'Example & Söhne'
const NAMES = Object.keys(MAIL_MESSAGES) as MailMessage[]
const config = { serviceName: SERVICE, mailFrom: { name: SERVICE, address: 'no-reply@shop.example' }, publicUrl: 'https://auth.example.com' }
const dataOf = <Message extends MailMessage>(message: Message) => Object.fromEntries(MAIL_MESSAGES[message].map(name => [name, VALUES[name]])) as MailData<Message>

t.test('every message in every language', async t => {
  const { server, received } = await startSmtp(t)
  const send = createMailer({ config, render: createRender({ service: SERVICE, findTemplate: () => undefined }), transport: transportTo(t, server) })
  const subjects = new Set<string>()

  for (const locale of LOCALES) {
    for (const message of NAMES) {
      const id = crypto.randomUUID()
      t.strictSame(await send({ id, to: 'ada@example.com', locale, message, data: dataOf(message) }), { outcome: 'delivered' })
      const { mail, source } = received.at(-1) ?? t.bailout('nothing arrived') as never
      const name = `${message} in ${locale}`
      const html = mail.html || ''
      const document = parseDocument(html)
      const elements = (tag: string) => DomUtils.getElementsByTagName(tag, document)
      const told: readonly string[] = MAIL_MESSAGES[message]
      subjects.add(`${locale} ${mail.subject}`)

      t.equal(mail.messageId, `<${id}@shop.example>`, name)
      t.match(source, /^Content-Type: multipart\/alternative/m, 'as text and as HTML')
      t.match(mail.subject, SERVICE)
      t.match(mail.text, SERVICE)
      t.notMatch(`${mail.subject}${mail.text}${html}`, /undefined|\[object|NaN|null/, name)

      for (const value of ['link', 'code', 'email', 'device', 'provider'] as const) {
        t.equal(mail.text?.includes(String(VALUES[value])), told.includes(value), `${name}: ${value} in the text`)
        t.equal(html.replaceAll('&amp;', '&').includes(String(VALUES[value])), told.includes(value), `${name}: ${value} in the HTML`)
      }
      t.equal(/2026/.test(mail.text ?? ''), told.includes('at') || told.includes('until'), `${name}: when`)

      // Accessible: a language, a title, one heading. Nothing is loaded, and no link but the one that is promised.
      t.strictSame(elements('html').map(({ attribs }) => attribs.lang), [locale])
      t.strictSame(elements('title').map(title => DomUtils.textContent(title)), [mail.subject])
      t.strictSame(elements('h1').map(heading => DomUtils.textContent(heading)), [mail.subject])
      t.strictSame(elements('a').map(({ attribs }) => attribs.href), told.includes('link') ? [VALUES.link] : [], name)
      for (const link of elements('a')) t.ok(DomUtils.textContent(link).trim().length > 3, 'the link says what it does')
      t.strictSame(['img', 'script', 'style', 'link', 'iframe', 'svg', 'form'].flatMap(elements), [], name)
      t.notMatch(html, /url\(|@import|src=|background=/, name)
    }
  }
  t.equal(subjects.size, LOCALES.length * NAMES.length, 'each has a subject of its own')
})

t.test('a mail that nobody asked for has its link alone, and says nothing of a code', async t => {
  const render = createRender({ service: SERVICE, findTemplate: () => undefined })
  for (const locale of LOCALES) {
    for (const message of LINK_AT_LEAST) {
      const { text, html = '' } = render(message, locale, { link: VALUES.link, minutes: 10 })
      for (const form of [text, html.replaceAll('&amp;', '&')]) {
        t.match(form, VALUES.link)
        t.match(form, /\b10 minut/i)
        t.notMatch(form, /code|undefined|monospace/i, `${message} in ${locale}`)
      }
    }
  }
})

t.test('what the asker wrote is in no message to an address that nobody has proved', async t => {
  for (const message of ['verify_email', 'register_code', 'existing_account', 'password_reset', 'invitation', 'login_code', 'email_change'] as const) {
    t.strictSame(MAIL_MESSAGES[message].filter(name => !['link', 'code', 'minutes', 'days'].includes(name)), [], message)
  }
})

t.test('values that are hostile stay text, on one line in the subject', async t => {
  const render = createRender({ service: 'Shop\r\nBcc: eve@example.com', findTemplate: () => undefined })
  const { subject, html = '' } = render('identity_linked', 'en', { provider: '<script>alert(1)</script>\r\nX: y\u2028z', at: VALUES.at })
  t.notMatch(subject, /[\r\n\u2028]/)
  t.notMatch(html, /<script/)
  t.match(html, '&lt;script&gt;')
})

t.test('the language is the reader\'s, or English', async t => {
  const { server, received } = await startSmtp(t)
  const send = createMailer({ config, render: createRender({ service: SERVICE, findTemplate: () => undefined }), transport: transportTo(t, server) })
  for (const locale of ['de', 'fr', null, undefined, 'it', '__proto__']) await send({ id: crypto.randomUUID(), to: 'ada@example.com', locale, message: 'test', data: {} })
  t.strictSame(received.map(({ mail }) => mail.subject?.split(' ')[0]), ['Testnachricht', 'Message', 'Test', 'Test', 'Test', 'Test'])
})

t.test('a domain is sent as A-labels, and what no mail system takes is given up without a connection', async t => {
  const { server, received } = await startSmtp(t)
  const send = createMailer({ config, render: createRender({ service: SERVICE, findTemplate: () => undefined }), transport: transportTo(t, server) })
  const to = (address: string) => send({ id: crypto.randomUUID(), to: address, message: 'test', data: {} })
  t.strictSame(await to('ada@bücher.example'), { outcome: 'delivered' })
  t.match(received[0]?.source, /^To: ada@xn--bcher-kva\.example\r$/m)
  for (const address of ['ada@example.com, eve@example.com', 'ada@example.com\r\nBcc: eve@example.com', `${'a'.repeat(65)}@example.com`, `ada@${'long-label.'.repeat(25)}example.com`, 'ada', '', 'ada@@example.com', 'ada@exa mple.com', '"ada"@example.com']) {
    t.match(await to(address), { outcome: 'undeliverable' }, JSON.stringify(address))
  }
  t.equal(received.length, 1)
})
