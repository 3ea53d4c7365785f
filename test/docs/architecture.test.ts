import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readPage, root } from './markdown.ts'

t.test('docs/architecture.md lists files that are there, in order, each once in a flow', async t => {
  const [, ...flows] = (await readPage('docs/architecture.md')).split(/^## /m)
  t.equal(flows.length, 8, 'what every request passes, and seven flows')
  for (const flow of flows) {
    const [title = ''] = flow.split('\n')
    const steps = [...flow.matchAll(/^(\d+)\. `([^`]+)`: \S/gm)]
    t.ok(steps.length > 5, title)
    t.strictSame(steps.map(([, number]) => Number(number)), steps.map((_, index) => index + 1), `${title}: numbered through`)
    const files = steps.map(([, , file = '']) => file)
    t.equal(new Set(files).size, files.length, `${title}: none twice`)
    for (const file of files) t.ok(existsSync(join(root, file)), file)
  }
})
