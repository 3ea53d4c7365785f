import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { root } from '../docs/markdown.ts'

const run = promisify(execFile)

t.test('docs/api is what the types say', async t => {
  const fresh = await mkdtemp(join(tmpdir(), 'countersign-api-'))
  t.teardown(() => rm(fresh, { recursive: true }))
  await run(process.execPath, [join(root, 'node_modules/typedoc/bin/typedoc'), '--out', fresh], { cwd: root })
  const pages = await pagesIn(fresh)
  t.ok(pages.size > 3)
  t.same(await pagesIn(join(root, 'docs/api')), pages, 'npm run api:reference writes it anew')
})

async function pagesIn (directory: string): Promise<Map<string, string>> {
  const names = (await readdir(directory, { recursive: true })).filter(name => name.endsWith('.md')).sort()
  return new Map(await Promise.all(names.map(async name => [name, await readFile(join(directory, name), 'utf8')] as const)))
}
