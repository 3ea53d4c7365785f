import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import type { KeptMail } from '../../src/mail/development-transport.ts'
import { composeMail } from '../../src/mail/compose.ts'
import { createOutboxWriter } from '../../src/outbox/enqueue.ts'
import { deriveKeyRing } from '../../src/tokens/derived-keys.ts'
import { createEncryption } from '../../src/tokens/encryption.ts'
import { silent } from '../support/database.ts'
import { standingAlone } from '../support/inbox.ts'
import { startService, type Settings, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'
import { startSmtp } from './smtp.ts'

const AT = '2026-03-01T22:59:00.000Z'

/** What a feature of the service does: it makes a message, and queues it. */
function featureOf ({ config, database }: TestService) {
  const writer = createOutboxWriter(database, createEncryption(deriveKeyRing(config.secrets, 'outbox')))
  const mail = composeMail({ config, baseUrl: config.publicUrl, database, log: silent })
  return { mail, queue: (message: Parameters<typeof writer.prepare>[0]) => writer.enqueue(writer.prepare(message)) }
}

const waiting = async ({ sql }: TestService) => (await sql<{ id: string }>('SELECT id::text AS id FROM outbox WHERE dead_at IS NULL')).length

t.test('what is queued is sent by SMTP, in the language of the account, to the address that it has by then', async t => {
  const { url, received } = await startSmtp(t)
  const service = await startService(t, { SMTP_URL: url, MAIL_FROM: 'Shop <no-reply@shop.example>', MAIL_NOTICES: 'password_changed' })
  const { mail, queue } = featureOf(service)
  const { user: { id: userId } } = await service.person()
  await until(async () => await waiting(service) === 0)
  received.length = 0
  await service.sql("UPDATE users SET email = 'grace@example.com', locale = 'de' WHERE id = $1::uuid", userId)
  await queue(mail.message('password_reset', { link: mail.link('reset', 'abc'), code: '042917', minutes: 10 }, { to: 'ada@example.com', locale: 'fr', expiresIn: 600 }))
  await queue(mail.notice('password_changed', { at: AT }, { userId }))
  // Queued before it was turned off, and for an account that is gone.
  await queue(mail.message('address_changed', { at: AT }, { userId, expiresIn: 600 }))
  await queue(mail.notice('password_changed', { at: AT }, { userId: crypto.randomUUID() }))
  t.equal(mail.notice('new_device', { device: 'Firefox', at: AT }, { userId }), undefined)

  await until(async () => await waiting(service) === 0)
  t.strictSame(received.map(({ to: [to], mail: { subject } }) => `${to}: ${subject}`).sort(), ['ada@example.com: Choisissez un nouveau mot de passe pour localhost', 'grace@example.com: Ihr Passwort für localhost wurde geändert'])
  t.match(received.map(({ mail: { text } }) => text).join(''), 'http://localhost:3000/account/reset?token=abc\n')
  const { text } = await service.call('GET /metrics')
  for (const line of ['countersign_outbox_sent_total 5', 'countersign_outbox_failed_attempts_total 0', 'countersign_outbox_dead 0']) t.match(text, line)
  t.notMatch(service.logText(), /ada@example|token=abc/)
  t.notMatch(service.logText(), standingAlone('042917'))
})

t.test('an address that is refused is dead, logged by its id, and can be tried again', async t => {
  const smtp = await startSmtp(t)
  const service = await startService(t, { SMTP_URL: smtp.url, MAIL_FROM: 'no-reply@shop.example' })
  const { mail, queue } = featureOf(service)
  smtp.trouble = { stage: 'RCPT TO', code: 550 }
  await queue(mail.message('login_code', { code: '042917', minutes: 10 }, { to: 'nobody@example.com', expiresIn: 600 }))
  await until(async () => await waiting(service) === 0)
  t.match(await service.sql('SELECT last_error FROM outbox'), [{ last_error: /550/ }])
  t.match(service.log.filter(({ msg }) => msg === 'message undeliverable'), [{ kind: 'mail', reason: /550/ }])
  t.notMatch(service.logText(), 'nobody@example')
  t.notMatch(service.logText(), standingAlone('042917'))
})

t.test('without SMTP_URL development keeps the last 50, for somebody at this machine', async t => {
  const service = await startService(t)
  const { mail, queue } = featureOf(service)
  for (let code = 0; code < 52; code++) await queue(mail.message('login_code', { code: String(code), minutes: 10 }, { to: 'ada@example.com', expiresIn: 600 }))
  await until(async () => await waiting(service) === 0)
  const { status, body, headers } = await service.call<{ items: KeptMail[] }>('GET /dev/mail')
  t.equal(status, 200)
  t.equal(headers['cache-control'], 'no-store')
  t.equal(body.items.length, 50)
  t.match(body.items[0], { to: 'ada@example.com', message: 'login_code', subject: /^Your code/, text: /Code: \d+/, html: /<strong/ })

  for (const [name, call] of Object.entries({
    'another machine': { from: '10.0.0.1' },
    'another machine, as IPv4 in IPv6': { from: '::ffff:10.0.0.1' },
    'a name that a page elsewhere has given this address': { headers: { host: 'evil.example' } },
    'a name that begins like ours': { headers: { host: 'localhost.evil.example' } },
    'a proxy, by X-Forwarded-For': { headers: { 'x-forwarded-for': '127.0.0.1' } },
    'a proxy, by X-Forwarded-Host': { headers: { 'x-forwarded-host': 'localhost' } },
    'a proxy, by Forwarded': { headers: { forwarded: 'for=127.0.0.1' } },
    'a proxy, by X-Real-IP': { headers: { 'x-real-ip': '127.0.0.1' } },
    'a proxy, by Via': { headers: { via: '1.1 proxy' } }
  })) t.match(await service.call('GET /dev/mail', call), { status: 404, body: { code: 'not_found' } }, name)
  for (const host of ['127.0.0.1:3000', '[::1]:3000', 'localhost']) t.equal((await service.call('GET /dev/mail', { headers: { host } })).status, 200, host)
  t.equal((await service.call('GET /dev/mail', { from: '::1' })).status, 200)
  t.equal((await service.call('GET /dev/mail', { from: '::ffff:127.0.0.1' })).status, 200)
  t.notMatch((await service.call('GET /openapi.json')).text, '/dev/mail')
})

const warningsOfMail = ({ log }: TestService) => log.filter(({ level, msg = '' }) => level >= 40 && /smtp|mail/i.test(msg))
const PRODUCTION: Settings = { NODE_ENV: 'production', ALLOW_EMBEDDED_DATABASE: 'true' }

t.test('production without SMTP_URL warns once, sends nothing, and has no /dev/mail', async t => {
  const service = await startService(t, PRODUCTION)
  t.match(service.log.filter(({ msg }) => /SMTP_URL/.test(msg)), [{ level: 40 }])
  t.equal((await service.call('GET /dev/mail')).status, 404)
  const { mail } = featureOf(service)
  t.equal(mail.isAvailable, false)
  t.equal(mail.notice('password_changed', { at: AT }, { userId: uuidv7() }), undefined, 'nothing is queued that nobody would send')
})

t.test('with SMTP_URL there is no /dev/mail anywhere', async t => {
  const smtp = { SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'no-reply@shop.example' }
  for (const settings of [smtp, { ...PRODUCTION, ...smtp }]) {
    await t.test(settings === smtp ? 'in development' : 'in production', async t => {
      const service = await startService(t, settings)
      t.equal((await service.call('GET /dev/mail')).status, 404)
      t.strictSame(warningsOfMail(service), [])
    })
  }
})

t.test('links are made of the configuration alone', async t => {
  const service = await startService(t, { PUBLIC_URL: 'https://auth.example.com/base' })
  const link = (mailLinksUrl?: string) => composeMail({ config: { ...service.config, mailLinksUrl }, baseUrl: service.config.publicUrl, database: service.database, log: silent }).link
  t.equal(link()('reset', 'a-b_c'), 'https://auth.example.com/base/account/reset?token=a-b_c')
  t.equal(link()('email-revert', 'x'), 'https://auth.example.com/base/account/email/revert?token=x')
  t.equal(link()('forgot'), 'https://auth.example.com/base/account/forgot')
  t.equal(link('https://app.example.com/mail/{purpose}#{token}')('email-change', 'a&b$&'), 'https://app.example.com/mail/email-change#a%26b%24%26')
})
