import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { startService } from '../support/service.ts'
import { blocksOf, readPage } from './markdown.ts'

const run = promisify(execFile)
const curl = await run('curl', ['--help', 'all']).then(({ stdout }) => stdout.includes('--json'), () => false)

t.test("the README's curls give the README's answers", { skip: !curl && 'needs curl 7.82 or later' }, async t => {
  const service = await startService(t)
  const origin = await service.listen()
  const blocks = blocksOf(await readPage('README.md'))
  const commands = blocks.filter(({ language, text }) => language === 'sh' && text.includes('curl '))
  const answers = blocks.filter(({ language }) => language === 'json').map(({ text }) => JSON.parse(text) as unknown)
  t.equal(commands.length, 3)
  t.equal(answers.length, commands.length, 'each has its answer')

  const script = commands.map(({ text }) => text.replaceAll('http://localhost:3000', origin)).join('\necho\n')
  const { stdout } = await run('sh', ['-ec', script])
  const found = stdout.trim().split(/\n+/).map(line => JSON.parse(line) as unknown)
  t.equal(found.length, answers.length)
  for (const [index, answer] of answers.entries()) t.same(shortened(found[index], answer), answer, commands[index]?.text ?? '')
})

/** What was found, with the text of the README where it shortens a longer one by an ellipsis. */
function shortened (found: unknown, told: unknown): unknown {
  if (typeof told === 'string' && typeof found === 'string' && told.endsWith('…')) return found.length > told.length ? told : found
  if (typeof told !== 'object' || told === null || typeof found !== 'object' || found === null || Array.isArray(told)) return found
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, shortened(value, Reflect.get(told, name))]))
}
