import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorMessage } from '../config/error-code.ts'
import { escapeHtml, holesOf } from '../http/html.ts'
import { isLocale } from '../messages/locales.ts'
import { LINK_AT_LEAST, MAIL_MESSAGES, type MailMessage } from '../messages/mail-messages.ts'

/** The values of a template's placeholders. */
export type TemplateValues = Readonly<Record<string, string>>

/** A text of the operator's own for one message in one language. */
export interface Template {
  subject (values: TemplateValues): string
  text (values: TemplateValues): string
  html?: (values: TemplateValues) => string
}

/** @returns the template of a message, if there is one */
export type FindTemplate = (locale: string, message: MailMessage) => Template | undefined

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/
const CODE = /\{\{\s*code\s*\}\}/
const SUBJECT = /^Subject: *(\S[^\r\n]*)\r?\n\r?\n/
const FILE = /^([a-z_]+)\.(txt|html)$/

/**
 * Reads and checks every template: `<locale>/<message>.txt`, which begins with the line `Subject: …` and an empty one, and
 * `<message>.html` beside it. `{{name}}` stands for a value, escaped. A line with `{{code}}` is left out of a mail without one.
 *
 * @throws Error with everything that is wrong with them
 */
export function loadTemplates (directory: string): FindTemplate {
  const problems: string[] = []
  const templates = new Map<string, Template>()
  const found = existsSync(directory) ? readdirSync(directory, { withFileTypes: true }) : []
  if (!existsSync(directory)) problems.push('does not exist')

  for (const locale of found.filter(entry => entry.isDirectory()).map(({ name }) => name)) {
    if (!isLocale(locale)) problems.push(`${locale}/ is no language of the service`)
    const files = readdirSync(join(directory, locale))
    for (const file of files) {
      const [, message = '', kind] = FILE.exec(file) ?? []
      if (!isMessage(message)) problems.push(`${locale}/${file} belongs to no message`)
      else if (kind === 'html' && !files.includes(`${message}.txt`)) problems.push(`${locale}/${file} has no ${message}.txt beside it`)
      else if (kind === 'txt') templates.set(`${locale}/${message}`, load(locale, message, files.includes(`${message}.html`)))
    }
  }
  if (problems.length > 0) throw new Error(`MAIL_TEMPLATES_DIR is not usable:\n${problems.map(problem => `  ${problem}`).join('\n')}`)
  return (locale, message) => templates.get(`${locale}/${message}`)

  function load (locale: string, message: MailMessage, hasHtml: boolean): Template {
    const file = (kind: string) => readFileSync(join(directory, locale, `${message}.${kind}`), 'utf8')
    const whole = file('txt')
    const [head = '', subject = ''] = SUBJECT.exec(whole) ?? []
    if (subject === '') problems.push(`${locale}/${message}.txt does not begin with "Subject: …" and an empty line`)
    const names = (kind: string) => `${locale}/${message}.${kind}`
    return {
      subject: compile(subject, names('txt'), message, oneLine),
      text: compile(whole.slice(head.length), names('txt'), message, text => text, true),
      ...hasHtml && { html: compileHtml(file('html'), names('html'), message) }
    }
  }

  function compileHtml (text: string, name: string, message: MailMessage) {
    try {
      holesOf(text.split(new RegExp(PLACEHOLDER.source)).filter((_, index) => index % 2 === 0))
    } catch (error) {
      problems.push(`${name}: ${errorMessage(error)}`)
    }
    return compile(text, name, message, escapeHtml, true)
  }

  function compile (text: string, name: string, message: MailMessage, escape: (value: string) => string, isBody = false) {
    const parts = text.split(new RegExp(PLACEHOLDER.source))
    const used = parts.filter((_, index) => index % 2 === 1)
    const known: readonly string[] = ['service', ...MAIL_MESSAGES[message]]
    for (const placeholder of used) if (!known.includes(placeholder)) problems.push(`${name} has {{${placeholder}}}; ${message} knows ${known.join(', ')}`)
    const mayLackCode = LINK_AT_LEAST.some(name => name === message)
    const needed = (mayLackCode ? ['link'] : ['link', 'code']).filter(value => known.includes(value))
    if (isBody && needed.length > 0 && !needed.some(value => used.includes(value))) problems.push(`${name} lacks {{${needed.join('}} or {{')}}}`)
    const withoutCode = isBody && mayLackCode ? withoutCodeLines(text) ?? parts : parts
    return (values: TemplateValues) => (values.code === undefined ? withoutCode : parts).map((part, index) => index % 2 === 0 ? part : escape(values[part] ?? '')).join('')
  }
}

/** @returns the parts of a text without the lines that have a code; `undefined` where its link would go with them, or its form */
function withoutCodeLines (text: string): string[] | undefined {
  const parts = text.split(/(?<=\n)/).filter(line => !CODE.test(line)).join('').split(new RegExp(PLACEHOLDER.source))
  try {
    holesOf(parts.filter((_, index) => index % 2 === 0))
  } catch {
    return undefined
  }
  return parts.some((part, index) => index % 2 === 1 && part === 'link') ? parts : undefined
}

function isMessage (name: string): name is MailMessage {
  return Object.hasOwn(MAIL_MESSAGES, name)
}

/** Header fields are one line, whatever is put into them. */
export function oneLine (text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}
