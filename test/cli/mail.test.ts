import t from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { openDatabase } from '../../src/database/open-database.ts'
import { createOutboxWriter } from '../../src/outbox/enqueue.ts'
import { createOutboxStore } from '../../src/outbox/store.ts'
import { deriveKeyRing } from '../../src/tokens/derived-keys.ts'
import { createEncryption } from '../../src/tokens/encryption.ts'
import { startSmtp } from '../mail/smtp.ts'
import { silent, temporaryDirectory, testDatabase } from '../support/database.ts'
import { runCommand } from './many-commands.ts'

const SECRETS = { COUNTERSIGN_SECRET: generateSecret(), JWT_SECRET: generateSecret() }

t.test('mail test sends a message at once, and says what the server answered', async t => {
  const smtp = await startSmtp(t)
  const settings = { ...SECRETS, DATA_DIR: await temporaryDirectory(t), SMTP_URL: smtp.url, MAIL_FROM: 'no-reply@shop.example', SERVICE_NAME: 'Shop' }
  const run = (args: string[], more: Record<string, string> = {}) => runCommand(['mail', 'test', ...args], { settings: { ...settings, ...more } })

  const done = await run(['--to', 'Ada@Example.com', '--locale', 'de', '--json'])
  t.match(done, { code: 0, stderr: '' })
  const { id, to } = JSON.parse(done.stdout) as { id: string, to: string }
  t.equal(to, 'ada@example.com')
  t.match(smtp.received, [{ to: ['ada@example.com'], mail: { subject: 'Testnachricht von Shop', messageId: `<${id}@shop.example>` } }])

  smtp.trouble = { stage: 'RCPT TO', code: 550 }
  t.match(await run(['--to', 'ada@example.com']), { code: 1, stdout: '', stderr: /^127\.0\.0\.1:\d+ did not take the message: RCPT TO: 550 .*\n$/ })
  t.match(await run(['--to', 'ada@example.com'], { SMTP_URL: '' }), { code: 1, stderr: /SMTP_URL is not set/ })
  t.match(await run(['--to', 'ada']), { code: 2, stderr: /not an e-mail address/ })
})

t.test('mail list and mail retry are for what could not be sent', async t => {
  const { url, dataDir = '' } = await testDatabase(t)
  const settings = { ...SECRETS, ...url !== undefined && { DATABASE_URL: url }, DATA_DIR: dataDir }
  const run = (...args: string[]) => runCommand(['mail', ...args], { settings })
  const database = await openDatabase({ ...url !== undefined && { url }, dataDir, log: silent })
  const writer = createOutboxWriter(database, createEncryption(deriveKeyRing([SECRETS.COUNTERSIGN_SECRET], 'outbox')))
  const queue = async (to: string, kind = 'mail') => {
    const row = writer.prepare({ kind, payload: { message: 'login_code', data: { code: 'canary-code', minutes: 10 }, to }, expiresIn: 600 })
    await writer.enqueue(row)
    return row.id ?? ''
  }
  const dead = await queue('nobody@example.com')
  const claim = crypto.randomUUID()
  await createOutboxStore(database).claim({ claim, kinds: ['mail'], limit: 1, lease: 60 })
  await createOutboxStore(database).bury(dead, claim, 'RCPT TO: 550 no such mailbox')
  const waiting = await queue('ada@example.com')
  await queue('elsewhere', 'webhook')
  await database.close()

  const listed = await run('list', '--dead', '--json')
  t.match(listed, { code: 0, stderr: '' })
  t.match(JSON.parse(listed.stdout), { items: [{ id: dead, state: 'dead', message: 'login_code', to: 'nobody@example.com', attempts: 1, lastError: 'RCPT TO: 550 no such mailbox' }] })
  t.notMatch(listed.stdout, /canary/)
  const all = await run('list')
  t.match(all.stdout, new RegExp(`^${dead}  dead  login_code  to nobody@example\\.com  1 attempt  RCPT TO: 550 no such mailbox\\n${waiting}  waiting  login_code  to ada@example\\.com  0 attempts\\n$`))

  t.match(await run('retry', dead, '--json'), { code: 0, stdout: `${JSON.stringify({ retried: dead })}\n`, stderr: '' })
  t.match(await run('retry', dead), { code: 1, stderr: `No dead mail has the id ${dead}, or it has expired.\n` }, 'it is not dead any more')
  t.match(await run('retry', 'x'), { code: 2, stderr: /not the id of a mail/ })
  t.match(await run('list', '--dead'), { code: 0, stdout: 'No mail is dead.\n' })
})
