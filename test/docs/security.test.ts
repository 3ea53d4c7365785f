import t from 'tap'
import { readPage } from './markdown.ts'

t.test('every test that docs/security.md names is there', async t => {
  const rows = (await readPage('docs/security.md')).split('\n').filter(line => line.startsWith('| ') && line.includes('.test.ts'))
  t.ok(rows.length > 20)
  for (const row of rows) {
    for (const [, file = '', name = ''] of row.matchAll(/`([a-z/-]+\.test\.ts)`: “([^”]+)”/g)) {
      const source = await readPage(`test/${file}`)
      t.ok(source.replaceAll("\\'", "'").includes(name), `${file}: ${name}`)
    }
    t.match(row, /`[a-z/-]+\.test\.ts`: “[^”]+” \|$/, row)
  }
})
