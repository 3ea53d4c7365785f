import { join } from 'node:path'
import t from 'tap'
import { blocksOf, pages, readPage } from './markdown.ts'

const blocks = (await Promise.all((await pages()).map(readPage))).flatMap(blocksOf)

t.test('the JSON in the guides is JSON', async t => {
  const json = blocks.filter(({ language }) => language === 'json')
  t.ok(json.length > 0)
  for (const { text } of json) t.doesNotThrow(() => JSON.parse(text), text)
})

t.test('what the guides link to is there', async t => {
  for (const page of await pages()) {
    const markdown = await readPage(page)
    const links = [...markdown.matchAll(/\]\(([^)#:]+)(?:#([^)]+))?\)/g)]
    for (const [, file = '', heading] of links) {
      const target = join(page, '..', file)
      const text = await readPage(target).catch(() => undefined)
      t.ok(text !== undefined, `${page} links to ${target}`)
      if (heading !== undefined) t.ok(headings(text ?? '').includes(heading), `${page} links to ${target}#${heading}`)
    }
  }
})

function headings (markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replace(/[^a-z0-9 _-]/g, '').replaceAll(' ', '-'))
}
