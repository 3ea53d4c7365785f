import { access, mkdir, readdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import t from 'tap'
import { root } from '../docs/markdown.ts'
import { run } from './package/registry.ts'
import { packTarballs } from './package/tarballs.ts'
import { temporary } from './package/temporary.ts'

t.test('the tarballs', async t => {
  const directory = await temporary(t)
  const tarballs = await packTarballs(directory)

  for (const [name, tarball] of Object.entries(tarballs)) {
    await t.test(`${name} has what its pages name, and names no source map that it lacks`, async t => {
      const unpacked = join(directory, name)
      await mkdir(unpacked)
      await run('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1'])
      const files = (await readdir(unpacked, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile()).map(entry => posix.relative(unpacked, join(entry.parentPath, entry.name)))
      t.ok(files.includes('LICENSE') && files.includes('README.md') && files.includes('package.json'))

      for (const page of files.filter(file => file.endsWith('.md'))) {
        for (const link of linksOf(await readFile(join(unpacked, page), 'utf8'))) {
          const target = posix.join(posix.dirname(page), link)
          // The verifier's page tells of the service's too.
          if (!target.startsWith('..')) t.ok(files.some(file => file === target || file.startsWith(`${target}/`)), `${page}: ${link}`)
        }
      }
      for (const file of files.filter(file => /\.(?:[cm]?js|d\.[cm]?ts)$/.test(file))) {
        const [, map] = /^\/\/# sourceMappingURL=(?!data:)(.+)$/m.exec(await readFile(join(unpacked, file), 'utf8')) ?? []
        t.equal(map, undefined, file)
      }
    })
  }

  const { stdout: help } = await run(process.execPath, [join(root, 'dist/bin/main.js'), '--help'])
  const named = help.match(/\S+\.(?:example|md)\b/g) ?? []
  t.ok(named.length >= 2)
  for (const file of named) await t.resolves(access(join(directory, 'countersign', file)), `the help of the command names ${file}`)
})

function linksOf (markdown: string): string[] {
  return [...markdown.matchAll(/\]\(([^)#:]+)(?:#[^)]+)?\)/g)].map(([, link = '']) => link)
}
