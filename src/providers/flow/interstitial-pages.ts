import { createHash } from 'node:crypto'

/** A page of the service's own, and the headers that it goes with. */
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
 * Asks whether an app may have the sign-in. Any app can claim a scheme for its own, and any page can send a browser
 * through a provider that has been consented to before: so nothing is handed to an app by its scheme without its user
 * (RFC 8252 §8.6).
 *
 * @param target what opens the app
 */
export function confirmationPage (target: string): Page {
  const app = new URL(target).protocol.slice(0, -1)
  return page('Continue in the app?', `
    <h1>Continue in the app?</h1>
    <p>You are done here. Continue only if you began this in the app that opens links of <code>${escape(app)}</code>.</p>
    <a href="${escape(target)}">Continue in ${escape(app)}</a>`)
}

/** Comes back to an address from the service itself, so that cookies come along which are for requests of the same site alone. */
export function returnPage (address: string): Page {
  return page('One moment', `
    <p>One moment. <a href="${escape(address)}">Continue</a></p>`, `<meta http-equiv="refresh" content="0;url=${escape(address)}">`)
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
