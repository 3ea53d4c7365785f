import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { root } from '../docs/markdown.ts'

const run = promisify(execFile)

interface Packed {
  files: ReadonlyArray<{ path: string }>
  unpackedSize: number
}

const directory = join(root, 'verifier')
const manifest = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Record<string, unknown> & { exports: Record<string, string | Record<string, string>> }

t.test('the package holds what it exports, its licence and its manual, and nothing else', async t => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: directory })
  const [packed] = JSON.parse(stdout) as Packed[]
  const paths = (packed?.files ?? []).map(({ path }) => path)
  for (const path of ['package.json', 'README.md', 'LICENSE']) t.ok(paths.includes(path), path)
  for (const targets of Object.values(manifest.exports)) {
    for (const target of typeof targets === 'string' ? [targets] : Object.values(targets)) t.ok(paths.includes(target.slice(2)), target)
  }
  t.strictSame(paths.filter(path => !/^(package\.json|README\.md|LICENSE|dist\/[\w/-]+\.(js|d\.ts))$/.test(path)), [])
  t.ok((packed?.unpackedSize ?? Infinity) < 210_000, `${packed?.unpackedSize} bytes`)
})

t.test('nothing comes with it', async t => {
  t.equal(manifest.dependencies, undefined)
  t.strictSame(Object.keys(manifest.peerDependencies as object), Object.keys(manifest.peerDependenciesMeta as object), 'and every peer is optional')
})

t.test('what it is made of needs nothing but node, save types', async t => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: directory })
  const files = (JSON.parse(stdout) as Packed[])[0]?.files ?? []
  for (const { path } of files.filter(({ path }) => path.endsWith('.js'))) {
    const imports = [...(await readFile(join(directory, path), 'utf8')).matchAll(/(?:from|import) '([^']+)'/g)].map(([, name = '']) => name)
    t.strictSame(imports.filter(name => !/^(node:|\.)/.test(name)), [], path)
  }
})

t.test('the main entry shows what is promised, and no more', async t => {
  const main = await import('countersign-verifier')
  t.strictSame(Object.keys(main).sort(), ['InvalidToken', 'ROLES', 'VerifierWarning', 'createVerifier'])
})
