import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'

/** An HTML page of the service, and its response headers. */
export interface Page {
  html: string
  headers: Readonly<Record<string, string>>
}

const STYLE = 'body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1.5rem}a{display:inline-block;margin-top:1rem;padding:.6rem 1.2rem;border-radius:.4rem;background:#1a4fd6;color:#fff;text-decoration:none}code{overflow-wrap:anywhere}'

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY'
}

/**
 * Asks the user to continue in the app. Any app can claim a custom scheme, and any page can send a browser through a
 * provider that the user has consented to before: so an app gets nothing by its scheme unless the user confirms it
 * (RFC 8252 §8.6).
 *
 * @param target the URL that opens the app
 */
export function confirmationPage (target: string): Page {
  const app = new URL(target).protocol.slice(0, -1)
  return page('Continue in the app?', `
    <h1>Continue in the app?</h1>
    <p>Continue only if you started this in the app that opens <code>${escape(app)}</code> links.</p>
    <a href="${escape(target)}">Continue in ${escape(app)}</a>`)
}

/** Sends a page. */
export function sendPage (reply: FastifyReply, { html, headers }: Page): FastifyReply {
  return reply.headers(headers).send(html)
}

/** Goes on to a URL from a page of the service's own origin, so that the browser sends SameSite=Strict cookies with it. */
export function returnPage (url: string): Page {
  return page('One moment', `
    <p>One moment. <a href="${escape(url)}">Continue</a></p>`, `<meta http-equiv="refresh" content="0;url=${escape(url)}">`)
}

function page (title: string, body: string, head = ''): Page {
  return {
    headers: HEADERS,
    html: `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>${head}
    <style>${STYLE}</style>
  </head>
  <body>${body}
  </body>
</html>
`
  }
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escape (text: string): string {
  return text.replace(/[&<>"']/g, character => ENTITIES[character] ?? character)
}
