// node scripts/gather-tests.js [directory] [pattern]
// Run before the tests: gathers those of a room into a few files in .build/<directory>, so that a few processes start and
// load the service and its database, not one for every test. With a pattern, only the tests that have it in their text.
// Each can be run by itself all the same.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, posix, sep } from 'node:path'

// What a test changes of its process must not meet another test: its name says so.
const ALONE = /\.process\.test\.js$/
const TOGETHER = 12
// Those that start processes of their own take long, however they are gathered.
const START_PROCESSES = /^(?:cli|database|docs|examples|gateways)$/
const FEW = 3

const build = join(import.meta.dirname, '../.build')
const tests = join(build, 'test')
const sources = join(import.meta.dirname, '../test')
const [directory = 'gathered', pattern = ''] = process.argv.slice(2)
if (!existsSync(tests)) {
  console.error('The tests are not built.')
  process.exit(1)
}

const isWanted = new RegExp(pattern)
const rooms = new Map()
// Drills are no part of it: outages, kills and new keys under load. By the sources: an earlier build may have left tests that are gone.
for (const source of readdirSync(sources, { recursive: true }).map(name => name.replaceAll(sep, '/')).filter(name => name.endsWith('.test.ts') && !name.startsWith('drills/')).sort()) {
  const file = source.replace(/ts$/, 'js')
  if (!isWanted.test(readFileSync(join(tests, file), 'utf8'))) continue
  const room = ALONE.test(file) ? file : posix.dirname(file)
  rooms.set(room, [...rooms.get(room) ?? [], file])
}

rmSync(join(build, directory), { recursive: true, force: true })
mkdirSync(join(build, directory), { recursive: true })
for (const [room, members] of rooms) {
  const parts = Math.ceil(members.length / (START_PROCESSES.test(room) ? FEW : TOGETHER))
  for (let part = 0; part < parts; part++) {
    const name = room.endsWith('.js') ? room : posix.join('room', room, `${part + 1}.test.js`)
    // Dealt out, for what takes long lies close together.
    const imports = members.filter((_, index) => index % parts === part).map(file => `import '../test/${file}'\n`)
    // Two of one name would be one: the second is refused.
    writeFileSync(join(build, directory, name.replaceAll('/', '-')), imports.join(''), { flag: 'wx' })
  }
}
