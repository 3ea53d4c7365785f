import { createHash } from 'node:crypto'
import { html } from '../http/html.ts'

/** The style of every page. */
export const STYLE = html`<style>
:root{color-scheme:light dark;--canvas:#f6f6f8;--surface:#fff;--text:#17171c;--muted:#5c5c68;--edge:#8b8b97;--line:#e4e4ea;--bad:#b3261e;--accent:#2b55d4;--on-accent:#fff}
@media(prefers-color-scheme:dark){:root{--canvas:#0f0f13;--surface:#18181d;--text:#f2f2f5;--muted:#a7a7b3;--edge:#757582;--line:#2b2b34;--bad:#ff9a92;--accent:#9db4ff;--on-accent:#0f0f13}}
*{box-sizing:border-box}
body{margin:0;min-block-size:100vh;display:grid;place-items:center;background:var(--canvas);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{inline-size:min(100%,400px);padding:32px;border-radius:14px;background:var(--surface);box-shadow:0 1px 3px rgb(0 0 0/.1);overflow-wrap:anywhere}
@media(max-width:480px){body{place-items:start stretch;background:var(--surface)}main{inline-size:100%;padding:24px 20px;box-shadow:none}}
h1{margin:0 0 8px;font-size:24px;font-weight:650;line-height:1.25;letter-spacing:-.018em}
p{margin:0 0 16px}
label{display:block;margin-block-end:4px;font-size:14px;font-weight:550}
input{inline-size:100%;min-block-size:44px;margin-block-end:4px;padding:8px 12px;border:1px solid var(--edge);border-radius:8px;background:var(--surface);color:inherit;font:inherit}
input[readonly]{border-color:var(--line);color:var(--muted)}
input[aria-invalid]{border-color:var(--bad)}
.field{margin-block-end:16px}
.hint{margin:0;color:var(--muted);font-size:14px}
.bad{color:var(--bad)}
button{inline-size:100%;min-block-size:44px;padding:8px 16px;border:1px solid transparent;border-radius:8px;background:var(--accent);color:var(--on-accent);font:inherit;font-weight:550;cursor:pointer}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
</style>`

const [css = ''] = STYLE.toString().split(/<\/?style>/).slice(1)

/** What the policy of a page allows: this style, and no other. */
export const STYLE_SOURCE = `'sha256-${createHash('sha256').update(css).digest('base64')}'`
