// node scripts/run-tests.js [test file…]
// Runs test files, each in a process of its own, and ends with what they have counted: those that `npm test` gathered, unless
// files are named. What each has said, in TAP, stays in .build/tap/; of what failed, the assertions are shown.
//
// Those that take longest, by scripts/test-weights.json, start first: else one process runs alone at the end.
//
// tap's own program would read each assertion twice more, and would start the processes with module hooks for coverage and for
// TypeScript: loading the service through them takes twice as long.
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { weightsOf } from './test-weights.js'

const root = join(import.meta.dirname, '..')
// Tests wait about as much as they work. Each process takes up to 1.3 GB. Fewer where something else runs beside them.
const AT_ONCE = Number(process.env.TESTS_AT_ONCE ?? Math.min(2 * availableParallelism(), 4))
// The embedded database's WebAssembly is not to be compiled twice, nor is JavaScript, most of which runs a few times, to be
// interpreted first. Much that is short-lived is made, and what a process keeps is small beside its memory: fewer collections.
const FLAGS = [
  '--enable-source-maps', '--liftoff-only', '--always-sparkplug', '--max-semi-space-size=32', '--initial-old-space-size=800',
  '--import', new URL('without-async-hooks.js', import.meta.url).href
]
// For a process; one that stands still ends as failed.
const TIMEOUT_S = 800
const COUNTS = ['total', 'pass', 'fail', 'skip', 'todo']

const files = (process.argv.length > 2 ? process.argv.slice(2) : gathered()).sort((one, other) => weightOf(other) - weightOf(one))
const sums = Object.fromEntries(COUNTS.map(name => [name, 0]))
const running = new Set()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => endAll(signal))

mkdirSync(join(root, '.build/tap'), { recursive: true })
const waiting = [...files]
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  while (waiting.length > 0) await runFile(waiting.shift())
}))
// Nothing that ran is no success.
if (sums.total === 0) process.exitCode = 1
printSums()

function gathered () {
  const directory = join(root, '.build/gathered')
  return readdirSync(directory).sort().map(name => join(directory, name))
}

function weightOf (file) {
  const directory = basename(dirname(file))
  return weightsOf(directory)[`${directory}/${basename(file, '.test.js')}`] ?? 0
}

async function runFile (file) {
  const started = performance.now()
  const name = relative(process.cwd(), file)
  const report = join(root, '.build/tap', `${basename(dirname(file))}-${basename(file, '.js')}.tap`)
  const end = await run(file, report)
  const text = readFileSync(report, 'utf8')
  const counts = /^# \{ total: .*\}$/m.exec(text)?.[0]
  const hasPassed = end === 0 && counts !== undefined
  for (const count of COUNTS) sums[count] += Number(new RegExp(`\\b${count}: (\\d+)`).exec(counts ?? '')?.[1] ?? 0)
  console.log(`${hasPassed ? 'ok' : 'NOT OK'} ${name} ${counts ?? ''} ${Math.round((performance.now() - started) / 1000)} s`)
  if (hasPassed) return
  process.exitCode = 1
  console.log(failuresIn(text) ?? text.split('\n').slice(-40).join('\n'))
  console.log(`${name} ended with ${end}; all of it is in ${relative(process.cwd(), report)}`)
}

function run (file, report) {
  const output = openSync(report, 'w')
  const child = spawn(process.execPath, [...FLAGS, file], { stdio: ['ignore', output, output], env: { ...process.env, TAP_TIMEOUT: String(TIMEOUT_S) } })
  closeSync(output)
  running.add(child)
  // It has a moment to say what it was at.
  const tooLate = setTimeout(() => child.kill('SIGKILL'), (TIMEOUT_S + 30) * 1000)
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', (code, signal) => {
      clearTimeout(tooLate)
      running.delete(child)
      resolve(code ?? signal)
    })
  })
}

function printSums () {
  console.log(`# { ${COUNTS.filter(name => name === 'total' || sums[name] > 0).map(name => `${name}: ${sums[name]}`).join(', ')} }`)
}

/** The assertions that failed, each with what was found, and the error that nobody caught: Node writes it after the counts. */
function failuresIn (tap) {
  return tap.match(/^ *not ok .*(?:\n *---\n(?:.*\n)*? *\.\.\.$)?|(?<=^# time=.*\n)[^]+/gm)?.join('\n')
}

function endAll (signal) {
  for (const child of running) child.kill(signal)
  printSums()
  process.exit(1)
}
