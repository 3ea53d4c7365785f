import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { blocksOf, pages, readPage, root, type Block } from '../docs/markdown.ts'

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
