import { html, type Html } from '../http/html.ts'
import { catalogue } from '../messages/catalogue.ts'
import type { Locale } from '../messages/locales.ts'
import type { MailText } from '../messages/mail-messages.ts'

/** What a mail is made of. */
export interface MailParts extends MailText {
  locale: Locale
  service: string
  link?: string | undefined
  code?: string | undefined
}

/** The plain text of a mail. */
export function textLayout ({ locale, service, before, code, link, action, after }: MailParts): string {
  const { mailLayout } = catalogue[locale]
  return [
    ...before,
    ...code === undefined ? [] : [`${mailLayout.code}: ${code}`],
    ...link === undefined ? [] : [`${action ?? ''}:\n${link}`],
    ...after,
    `-- \n${mailLayout.footer({ service })}`
  ].join('\n\n') + '\n'
}

/** The same as HTML: one column, nothing that is loaded, readable in both colour schemes. */
export function htmlLayout ({ locale, service, subject, before, code, link, action, after }: MailParts): Html {
  const { mailLayout } = catalogue[locale]
  const paragraph = (text: string) => html`<p style="margin:0 0 16px">${text}</p>
`
  return html`<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${subject}</title>
</head>
<body style="margin:0;padding:24px;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif">
<main style="max-width:560px;margin:0 auto">
<h1 style="margin:0 0 16px;font-size:20px;line-height:1.3">${subject}</h1>
${before.map(paragraph)}${code !== undefined && html`<p style="margin:0 0 16px">${mailLayout.code}: <strong style="font:700 24px/1.3 ui-monospace,Menlo,Consolas,monospace;letter-spacing:.15em">${code}</strong></p>
`}${link !== undefined && html`<p style="margin:0 0 16px"><a href="${link}" style="display:inline-block;padding:10px 18px;border-radius:8px;background-color:#2b55d4;color:#ffffff;text-decoration:none">${action}</a></p>
<p style="margin:0 0 16px;font-size:14px;overflow-wrap:anywhere;word-break:break-word">${link}</p>
`}${after.map(paragraph)}<p style="margin:24px 0 0;font-size:14px">${mailLayout.footer({ service })}</p>
</main>
</body>
</html>
`
}
