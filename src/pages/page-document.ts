import { html, type Html } from '../http/html.ts'
import type { Locale } from '../messages/locales.ts'
import { STYLE, STYLE_SOURCE } from './page-style.ts'

/** What a page is made of. */
export interface PageParts {
  locale: Locale
  /** Of the window: it begins with "Error:" where there is one. */
  title: string
  heading: string
  content: Html
}

/**
 * The headers of a page. It loads and runs nothing, and nobody frames it. With `no-referrer` browsers would send `Origin: null`
 * with the page's own form; with `same-origin` no other site gets the address, which may hold a token.
 */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src ${STYLE_SOURCE}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex'
} as const

export function pageDocument ({ locale, title, heading, content }: PageParts): Html {
  return html`<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
${STYLE}
</head>
<body>
<main>
<h1>${heading}</h1>
${content}
</main>
</body>
</html>
`
}
