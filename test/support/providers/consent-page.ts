import type { ServerResponse } from 'node:http'

/** The page on which somebody says who they are, and whether they agree. It posts `account` and `decision`. */
export function sendConsentPage (response: ServerResponse, provider: string): void {
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.end(`<!doctype html>
<title>${provider}</title>
<form method="post">
  <label>Account <input name="account"></label>
  <button name="decision" value="allow">Continue</button>
  <button name="decision" value="deny">Cancel</button>
</form>
`)
}
