// node scripts/gather-tests.js [pattern]
// Run before the tests: gathers those of a room into a few files, so that a few processes start and load the service, not
// one for every test. With a pattern, only the tests that have it in their text. Each can be run by itself all the same.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'

// Rooms whose tests start processes of their own take long enough one by one.
const ALONE = /^(?:cli|database|docs|examples|gateways)\//
// What a test changes of its process must not meet another test.
const CHANGES_PROCESS = /process\.(?:env\.\w+ =|env\[.+\] =|on\(|once\(|chdir)|delete process\.env|setFlagsFromString/
const TOGETHER = 5

const tests = join(import.meta.dirname, '../.build/test')
const gathered = join(import.meta.dirname, '../.build/gathered')
const pattern = new RegExp(process.argv[2] ?? '')

const rooms = new Map()
for (const file of readdirSync(tests, { recursive: true }).filter(name => name.endsWith('.test.js')).sort()) {
  const text = readFileSync(join(tests, file), 'utf8')
  if (!pattern.test(text)) continue
  const isAlone = ALONE.test(file) || CHANGES_PROCESS.test(text)
  const room = isAlone ? join('test', file.replace(/\.test\.js$/, '')) : join('test', dirname(file))
  rooms.set(room, [...rooms.get(room) ?? [], file])
}

rmSync(gathered, { recursive: true, force: true })
mkdirSync(gathered, { recursive: true })
for (const [room, members] of rooms) {
  for (let start = 0; start < members.length; start += TOGETHER) {
    const imports = members.slice(start, start + TOGETHER).map(file => `import '../test/${file.replaceAll(sep, '/')}'\n`)
    const name = `${room.replaceAll(sep, '-')}${members.length > TOGETHER ? `-${start / TOGETHER + 1}` : ''}`
    writeFileSync(join(gathered, `${name}.test.js`), imports.join(''))
  }
}
