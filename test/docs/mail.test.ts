import t from 'tap'
import { MAIL_MESSAGES } from '../../src/messages/mail-messages.ts'
import { readPage } from './markdown.ts'

t.test('docs/mail.md lists every message with its placeholders', async t => {
  const rows = [...(await readPage('docs/mail.md')).matchAll(/^\| `([a-z_]+)` \| [^|]+ \|([^|]*)\|$/gm)]
  const listed = rows.map(([, message, placeholders = '']) => [message, [...placeholders.replace(/\([^)]*\)/g, '').matchAll(/`([a-z]+)`/g)].map(([, name]) => name)])
  t.strictSame(listed, Object.entries(MAIL_MESSAGES))
})
