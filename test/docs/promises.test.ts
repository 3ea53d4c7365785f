import { access } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { readPage, root } from './markdown.ts'

t.test('every test that docs/promises.md names is there', async t => {
  const rows = (await readPage('docs/promises.md')).split('\n').filter(line => line.startsWith('| ') && line.includes('.ts`: “'))
  t.ok(rows.length > 20)
  for (const row of rows) {
    for (const [, file = '', name = ''] of row.matchAll(/`([a-z./-]+\.ts)`: “([^”]+)”/g)) {
      const source = await readPage(`test/${file}`)
      t.ok(source.replaceAll("\\'", "'").includes(name), `${file}: ${name}`)
    }
    const [, place = ''] = /\| `([^`]+)` \|/.exec(row) ?? []
    t.ok(await access(join(root, place)).then(() => true, () => false), `${place} is there`)
    t.match(row, /`[a-z./-]+\.ts`: “[^”]+” \|$/, row)
  }
})
