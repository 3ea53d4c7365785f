import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { createRender } from '../../src/mail/render.ts'
import { loadTemplates } from '../../src/mail/templates.ts'
import { temporaryDirectory } from '../support/database.ts'
import { startService } from '../support/service.ts'

async function directoryWith (t: Test, files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await temporaryDirectory(t)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  return directory
}

const LINK = 'https://auth.example.com/account/reset?token=abc&x="<1>"'
const DATA = { link: LINK, code: '042917', minutes: 10 }

t.test('a template replaces the text of one message in one language', async t => {
  const directory = await directoryWith(t, {
    'de/password_reset.txt': 'Subject: Neues Passwort bei {{ service }}\r\n\r\nCode: {{code}}\r\n{{link}}\r\n',
    'de/password_reset.html': '<!doctype html><style>p > a { color: red }</style><!-- {{ --><p title="{{service}}">{{code}}, {{minutes}} Minuten</p><a href="{{link}}">Los</a>',
    'de/password_changed.txt': 'Subject: Geändert\n\nAm {{at}}, {{service}}\n',
    'README.md': 'not a template'
  })
  const render = createRender({ service: 'Shop <&> "Söhne"', findTemplate: loadTemplates(directory) })
  t.strictSame(render('password_reset', 'de', DATA), {
    subject: 'Neues Passwort bei Shop <&> "Söhne"',
    text: `Code: 042917\r\n${LINK}\r\n`,
    html: '<!doctype html><style>p > a { color: red }</style><!-- {{ --><p title="Shop &lt;&amp;&gt; &quot;Söhne&quot;">042917, 10 Minuten</p><a href="https://auth.example.com/account/reset?token=abc&amp;x=&quot;&lt;1&gt;&quot;">Los</a>'
  })
  t.strictSame(render('password_changed', 'de', { at: '2026-03-01T22:59:00.000Z' }), { subject: 'Geändert', text: 'Am 1. März 2026 um 22:59 UTC, Shop <&> "Söhne"\n' }, 'without HTML it is text alone')
  t.match(render('password_reset', 'en', DATA), { subject: /^Choose a new password/ })
  t.match(render('login_code', 'de', { code: '1', minutes: 10 }), { subject: /^Ihr Code/ })
})

t.test('a line with a code is left out of a mail that has none', async t => {
  const directory = await directoryWith(t, {
    'en/password_reset.txt': 'Subject: For {{service}}\r\n\r\nOpen {{link}},\r\nor enter {{ code }}.\r\nBye\r\n',
    'en/password_reset.html': '<p>\n<b>{{code}}</b>\n<a href="{{link}}">Go</a>\n</p>'
  })
  const render = createRender({ service: 'Shop', findTemplate: loadTemplates(directory) })
  t.strictSame(render('password_reset', 'en', { link: 'https://a.example', minutes: 10 }), { subject: 'For Shop', text: 'Open https://a.example,\r\nBye\r\n', html: '<p>\n<a href="https://a.example">Go</a>\n</p>' })
  t.match(render('password_reset', 'en', { link: 'https://a.example', minutes: 10, code: '1' }), { text: 'Open https://a.example,\r\nor enter 1.\r\nBye\r\n' })
})

t.test('a subject stays one line', async t => {
  const directory = await directoryWith(t, { 'en/identity_linked.txt': 'Subject: {{provider}} linked\n\n{{provider}}\n' })
  const { subject } = createRender({ service: 'Shop', findTemplate: loadTemplates(directory) })('identity_linked', 'en', { provider: 'Acme\r\nBcc: eve@example.com', at: '2026-03-01T22:59:00.000Z' })
  t.equal(subject, 'Acme Bcc: eve@example.com linked')
})

t.test('… unless its link would go with it: then the code alone is missing', async t => {
  const directory = await directoryWith(t, {
    'en/verify_email.txt': 'Subject: x\n\nOpen {{link}} or enter {{code}}.\n',
    'en/verify_email.html': '<p>{{code}}</p><a href="{{link}}">Go</a>',
    'de/verify_email.txt': 'Subject: x\n\n{{link}}\n',
    'de/verify_email.html': '<p title="\n{{code}}">\n</p>\n<a href="{{link}}">Los</a>'
  })
  const render = createRender({ service: 'Shop', findTemplate: loadTemplates(directory) })
  t.match(render('verify_email', 'en', { link: 'https://x.example/', minutes: 10 }), { text: 'Open https://x.example/ or enter .\n', html: '<p></p><a href="https://x.example/">Go</a>' })
  t.match(render('verify_email', 'de', { link: 'https://x.example/', minutes: 10 }), { html: '<p title="\n">\n</p>\n<a href="https://x.example/">Los</a>' })
})

t.test('everything that is wrong is said at the start', async t => {
  const directory = await directoryWith(t, {
    'it/password_reset.txt': 'Subject: x\n\n{{link}}\n',
    'en/password_reset.txt': 'no subject {{link}}\n',
    'en/verify_email.txt': 'Subject: x\n\nno link\n',
    'en/login_code.txt': 'Subject: x\n\n{{code}} {{link}} {{user.name}}\n',
    'en/register_code.txt': 'Subject: x\n\n{{code}}\n',
    'en/register_code.html': '<a href={{link}}>x</a>',
    'en/email_change.txt': 'Subject: x\n\n{{code}}\n',
    'en/email_change.html': '<script>go("{{link}}")</script>',
    'en/invitation.html': '<p>{{link}}</p>',
    'en/constructor.txt': 'Subject: x\n\n',
    'en/notes.md': ''
  })
  const error = t.throws(() => loadTemplates(directory), /^MAIL_TEMPLATES_DIR is not usable/)
  const lines = String((error as Error).message).split('\n')
  for (const problem of [
    /it\/ is no language/, /en\/password_reset\.txt does not begin with "Subject/, /en\/verify_email\.txt lacks {{link}}$/, /en\/login_code\.txt has {{link}}/, /en\/login_code\.txt has {{user\.name}}/,
    /en\/register_code\.html: .*escaping is not enough/, /en\/email_change\.html: .*escaping is not enough/, /en\/invitation\.html has no invitation\.txt/, /en\/constructor\.txt belongs to no message/, /en\/notes\.md belongs to no message/
  ]) t.ok(lines.some(line => problem.test(line)), String(problem))
  t.throws(() => loadTemplates(join(directory, 'none')), /does not exist/)
})

t.test('a service with a bad template does not start', async t => {
  const directory = await directoryWith(t, { 'en/password_reset.txt': 'Subject: x\n\nno link\n' })
  await t.rejects(startService(t, { MAIL_TEMPLATES_DIR: directory }), /en\/password_reset\.txt lacks/)
})
