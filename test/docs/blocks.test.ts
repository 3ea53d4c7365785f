import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { blocksOf, pages, readPage, root, type Block } from './markdown.ts'

const blocks = (await Promise.all((await pages()).map(readPage))).flatMap(blocksOf)
const typescript = blocks.filter(({ language }) => language === 'ts')

t.test('the TypeScript in the guides compiles', async t => {
  t.ok(typescript.length > 3)
  // Packages that declare one thing differently do not meet in one app.
  const besideJwt = ({ text }: Block) => text.includes('@fastify/jwt')
  const ofItsOwn = ({ text }: Block) => text.includes('decorators:')
  const apps = [
    typescript.filter(besideJwt),
    typescript.filter(ofItsOwn),
    typescript.filter(block => !besideJwt(block) && !ofItsOwn(block))
  ]
  for (const app of apps) {
    t.ok(app.length > 0)
    t.equal(await compile(t, app), '', app.map(({ text }) => text).join('\n'))
  }
})

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

const options: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  types: ['node'],
  strict: true,
  skipLibCheck: true,
  noEmit: true
}
const host = ts.createCompilerHost(options)
const { getSourceFile } = host
const parsed = new Map<string, ts.SourceFile | undefined>()
// What the apps have in common is most of it, and read once.
host.getSourceFile = (name, ...how) => {
  if (!parsed.has(name)) parsed.set(name, getSourceFile(name, ...how))
  return parsed.get(name)
}

/** @returns what the compiler has to say */
async function compile (t: { teardown (undo: () => Promise<void>): unknown }, app: readonly Block[]): Promise<string> {
  const directory = await mkdtemp(join(root, '.build/blocks-'))
  t.teardown(() => rm(directory, { recursive: true }))
  const files = app.map((_, index) => join(directory, `block-${index}.ts`))
  await Promise.all(app.map(({ text }, index) => writeFile(String(files[index]), `${text}\nexport {}\n`)))
  return ts.formatDiagnostics(ts.getPreEmitDiagnostics(ts.createProgram(files, options, host)), host)
}

function headings (markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replace(/[^a-z0-9 _-]/g, '').replaceAll(' ', '-'))
}
