import t from 'tap'
import { runTraced } from '../support/traced-process.ts'
import { startSmtp } from './smtp.ts'

const SEND = `
  import { writeSync } from 'node:fs'
  const [server, mail] = JSON.parse(process.argv[2])
  const { createSmtpTransport } = await import(process.argv[1])
  const log = { info () {}, warn () {}, error () {} }
  const transport = createSmtpTransport({ server, log })
  writeSync(1, 'ready\\n')
  writeSync(1, (await transport.send(mail)).outcome + '\\n')
  transport.close()`

t.test('nodemailer is loaded with the first message, and not at the start', async t => {
  const { server } = await startSmtp(t)
  const mail = { id: crypto.randomUUID(), from: { name: '', address: 'a@shop.example' }, to: { name: '', address: 'ada@example.com' }, subject: 'x', text: 'x' }
  const stdout = await runTraced(SEND, new URL('../../src/mail/smtp-transport.js', import.meta.url), [server, mail])
  const [start = '', sending = ''] = stdout.split('ready\n')
  t.notMatch(start, 'module nodemailer\n')
  t.match(sending, 'module nodemailer\n')
  t.match(sending, /^delivered$/m)
})
