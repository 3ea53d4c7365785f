import { catalogue } from '../messages/catalogue.ts'
import { formatInstant } from '../messages/format.ts'
import type { Locale } from '../messages/locales.ts'
import type { MailData, MailMessage, MailText, MailValues } from '../messages/mail-messages.ts'
import { htmlLayout, textLayout } from './layout.ts'
import { oneLine, type FindTemplate } from './templates.ts'

/** The text of a mail, in both forms. */
export interface RenderedMail {
  subject: string
  text: string
  html?: string
}

/** Writes a message in a language: by the operator's template where there is one. */
export function createRender ({ service, findTemplate }: { service: string, findTemplate: FindTemplate }) {
  return function render<Message extends MailMessage> (message: Message, locale: Locale, given: MailData<Message>): RenderedMail {
    const template = findTemplate(locale, message)
    const data = 'device' in given && given.device === '' ? { ...given, device: catalogue[locale].mailLayout.unknownDevice } : given
    const values: Partial<MailValues> = data
    if (template !== undefined) {
      const texts = { service, ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, name === 'at' || name === 'until' ? formatInstant(locale, String(value)) : String(value)])) }
      return { subject: oneLine(template.subject(texts)), text: template.text(texts), ...template.html !== undefined && { html: template.html(texts) } }
    }
    // The catalogue's type says that each message takes its own data; TypeScript does not follow that through a variable.
    const write = catalogue[locale].mail[message] as (data: MailData<Message> & { service: string }) => MailText
    const written = write({ ...data, service })
    const parts = { ...written, subject: oneLine(written.subject), locale, service, link: values.link, code: values.code }
    return { subject: parts.subject, text: textLayout(parts), html: htmlLayout(parts).toString() }
  }
}
