// node scripts/gather-tests.js [directory] [pattern] [rooms]
// Run before the tests: gathers them into a few files in .build/<directory>, so that a few processes start and load the service
// and its database, not one for every test: scripts/run-tests.js runs them. With a pattern, only the tests that have it in their
// text; of the rooms that are named then, such as http|pages, only what asks for PostgreSQL. Each can be run by itself all the same.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { weightsOf } from './test-weights.js'

// Drills are no part of it: outages, kills, storms and new keys under load. Nor are gateways and what needs a browser, which take
// long and are seldom installed.
const APART = /^(?:browser|drills|gateways)\//
// What a test changes of its process must not meet another test: its name says so.
const ALONE = /\.process\.test\.js$/
// As many as run at once, with even shares: to start one more takes as long as two or three tests do.
const PROCESSES = 4

const build = join(import.meta.dirname, '../.build')
const tests = join(build, 'test')
const sources = join(import.meta.dirname, '../test')
const [directory = 'gathered', pattern = '', rooms] = process.argv.slice(2)
if (!existsSync(tests)) {
  console.error('The tests are not built.')
  process.exit(1)
}

const isApart = rooms === undefined ? { test: () => false } : new RegExp(`^(?:${rooms})/`)
const [mentions, asksForPostgres] = [new RegExp(pattern), /\bon(?:Postgres|Both)\b|databaseUrl/]
// What takes long is dealt out first, so that all processes have as much.
const weights = weightsOf(directory)
const weightOf = file => weights[file.replace(/\.test\.js$/, '')] ?? 1
// By the sources: an earlier build may have left tests that are gone.
const files = readdirSync(sources, { recursive: true })
  .map(name => name.replaceAll(sep, '/').replace(/\.ts$/, '.js'))
  .filter(file => file.endsWith('.test.js') && !APART.test(file) && isWanted(file, readFileSync(join(tests, file), 'utf8')))
  .sort((one, other) => weightOf(other) - weightOf(one) || (one < other ? -1 : 1))

const processes = Array.from({ length: PROCESSES }, () => ({ weight: 0, files: [] }))
for (const file of files.filter(file => !ALONE.test(file))) {
  const lightest = processes.reduce((one, other) => other.weight < one.weight ? other : one)
  lightest.files.push(file)
  lightest.weight += weightOf(file)
}

rmSync(join(build, directory), { recursive: true, force: true })
mkdirSync(join(build, directory), { recursive: true })
// They start in the order of their names: those that are small, as those alone are, come last.
for (const [index, { files }] of processes.entries()) if (files.length > 0) gather(`${index + 1}.js`, files)
for (const file of files.filter(file => ALONE.test(file))) gather(`alone-${file.replaceAll('/', '-').replace('.process.test', '')}`, [file])

// Each is named before it runs: scripts/weigh-tests.js counts its seconds by that.
function gather (name, files) {
  const lines = files.map(file => `t.comment('file ${file}')\nawait import('../test/${file}')\n`)
  writeFileSync(join(build, directory, name), `import t from 'tap'\n${lines.join('')}`)
}

function isWanted (file, text) {
  return mentions.test(text) && (!isApart.test(file) || asksForPostgres.test(text))
}
