import { Command, InvalidArgumentError, Option } from 'commander'
import { v7 as uuidv7 } from 'uuid'
import { readConfig } from '../../config.ts'
import { isEmailAddress, normaliseEmail } from '../../http/email-address.ts'
import { createMailer } from '../../mail/mailer.ts'
import { createRender } from '../../mail/render.ts'
import { createSmtpTransport } from '../../mail/smtp-transport.ts'
import { loadTemplates } from '../../mail/templates.ts'
import { LOCALES, type Locale } from '../../messages/locales.ts'
import { writeOutput } from '../output.ts'

const QUIET = { info () {}, warn () {}, error () {} }

export const testCommand = new Command('test')
  .description('send a test message now, past the queue, and say what the server answered')
  .requiredOption('--to <address>', 'the e-mail address', parseAddress)
  .addOption(new Option('--locale <locale>', 'the language').choices(LOCALES).default('en'))
  .option('--json', 'print the result as JSON')
  .action(async ({ to, locale, json = false }: { to: string, locale: Locale, json?: boolean }) => {
    const config = readConfig(process.env)
    const { smtpUrl: server, serviceName: service, mailTemplatesDir } = config
    if (server === undefined) throw new Error('SMTP_URL is not set: there is no server to send mail with.')
    const transport = createSmtpTransport({ server, log: QUIET })
    const render = createRender({ service, findTemplate: mailTemplatesDir === undefined ? () => undefined : loadTemplates(mailTemplatesDir) })
    const id = uuidv7()
    const sent = await createMailer({ config, render, transport })({ id, to, locale, message: 'test', data: {} }).finally(transport.close)
    if (sent.outcome !== 'delivered') throw new Error(`${server.host}:${server.port} did not take the message: ${sent.reason}.`)
    writeOutput(json, { id, to }, `${server.host}:${server.port} took the message to ${to}, id ${id}.`)
  })

function parseAddress (text: string): string {
  if (!isEmailAddress(text)) throw new InvalidArgumentError(`${text} is not an e-mail address.`)
  return normaliseEmail(text)
}
