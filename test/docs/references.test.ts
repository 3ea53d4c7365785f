import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { readPage, root } from './markdown.ts'

t.test('what is generated from the code is fresh', async t => {
  await t.resolves(promisify(execFile)(process.execPath, ['scripts/references-write.js', '--check'], { cwd: root }), 'npm run config:reference writes it anew')
})

t.test('.env.example sets nothing by itself', async t => {
  const lines = (await readPage('.env.example')).split('\n')
  t.ok(lines.length > 50)
  t.same(lines.filter(line => line !== '' && !line.startsWith('#')), [])
})
