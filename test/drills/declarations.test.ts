import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'
import { root } from '../docs/markdown.ts'

const IMPORT = /(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g

/** The declarations that a host's compiler reads for an entry, and the packages that they import. */
function readDeclarations (entry: string): { files: Set<string>, packages: Set<string> } {
  const files = new Set([entry])
  const packages = new Set<string>()
  for (const file of files) {
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      if (name.startsWith('.')) files.add(resolve(dirname(file), name.replace(/\.[jt]s$/, '.d.ts')))
      else packages.add(name)
    }
  }
  return { files, packages }
}

t.test('the main entry needs no types of the database: no Prisma, no pg, nothing generated', t => {
  const { files, packages } = readDeclarations(join(root, 'dist/index.d.ts'))
  t.ok(files.has(join(root, 'dist/plugin-options.d.ts')), 'options are among what was read')
  for (const file of files) {
    t.ok(existsSync(file), file)
    t.notMatch(file, /dist\/(generated|database|app)\b/)
  }
  t.strictSame([...packages].filter(name => /prisma|^pg\b|pglite/.test(name)), [])
  t.ok(packages.has('fastify'))
  t.end()
})
