// node scripts/gather-tests.js [directory] [pattern]
// Run before the tests: gathers those of a room into a few files in .build/<directory>, so that a few processes start and
// load the service, not one for every test. With a pattern, only the tests that have it in their text. Each can be run by
// itself all the same.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, posix, sep } from 'node:path'

// Rooms whose tests start processes of their own take long enough one by one. Drills, which install packages from a registry,
// are gathered only into .build/drills.
const ALONE = /^(?:cli|database|docs|drills|examples|gateways)\//
// What a test changes of its process must not meet another test.
const CHANGES_PROCESS = /process\.(?:env\.\w+ =[^=]|env\[.+\] =[^=]|on\(|once\(|chdir)|delete process\.env|setFlagsFromString/
const TOGETHER = 5

const build = join(import.meta.dirname, '../.build')
const tests = join(build, 'test')
const [directory = 'gathered', pattern = ''] = process.argv.slice(2)
if (!existsSync(tests)) {
  console.error('The tests are not built.')
  process.exit(1)
}

const isWanted = new RegExp(pattern)
const rooms = new Map()
const isDrill = file => file.startsWith('drills/')
for (const file of readdirSync(tests, { recursive: true }).map(name => name.replaceAll(sep, '/')).filter(name => name.endsWith('.test.js')).sort()) {
  if (isDrill(file) !== (directory === 'drills')) continue
  const text = readFileSync(join(tests, file), 'utf8')
  if (!isWanted.test(text)) continue
  const room = ALONE.test(file) || CHANGES_PROCESS.test(text) ? file : posix.dirname(file)
  rooms.set(room, [...rooms.get(room) ?? [], file])
}

rmSync(join(build, directory), { recursive: true, force: true })
mkdirSync(join(build, directory), { recursive: true })
for (const [room, members] of rooms) {
  for (let start = 0; start < members.length; start += TOGETHER) {
    const name = room.endsWith('.js') ? room : posix.join('room', room, `${start / TOGETHER + 1}.test.js`)
    const imports = members.slice(start, start + TOGETHER).map(file => `import '../test/${file}'\n`)
    // Two of one name would be one: the second is refused.
    writeFileSync(join(build, directory, name.replaceAll('/', '-')), imports.join(''), { flag: 'wx' })
  }
}
