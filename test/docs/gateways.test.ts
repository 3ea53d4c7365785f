import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { blocksOf, readPage, root } from './markdown.ts'

t.test('the page about gateways shows the examples as they are', async t => {
  const shown = blocksOf(await readPage('docs/gateways.md')).map(({ text }) => text)
  const files = await readdir(join(root, 'examples/gateways'))
  t.ok(files.length > 5)
  for (const file of files) t.ok(shown.includes(await readPage(`examples/gateways/${file}`)), file)
})

t.test('the list of examples leads to each of them, and nowhere else', async t => {
  const list = await readPage('examples/README.md')
  const links = [...list.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link)
  for (const link of links) await t.resolves(access(join(root, 'examples', link)), link)
  for (const file of await readdir(join(root, 'examples/gateways'))) t.ok(links.includes(`gateways/${file}`), file)
})
