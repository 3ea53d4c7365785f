// npm run bench            everything, in a few minutes
// node bench/run.js --quick | --only guard,storm | --subjects plugin,fastify | --json | --write
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createDatabases } from './harness/databases.js'
import { createLoader } from './harness/load.js'
import { describeMachine } from './harness/machine.js'
import { mintFile } from './harness/mint.js'
import { chooseCores, killAll } from './harness/processes.js'
import { createFleet } from './harness/running.js'
import { ARGON2, NORMAL, QUICK } from './harness/settings.js'
import { subjects } from './harness/subjects.js'
import { toTable } from './harness/table.js'
import { writeReport, writeResults } from './report.js'
import { cart } from './measures/cart.js'
import { eddsa } from './measures/eddsa.js'
import { feed } from './measures/feed.js'
import { guard, verifyRoute } from './measures/guard.js'
import { logins } from './measures/logins.js'
import { memory } from './measures/memory.js'
import { profile } from './measures/profile.js'
import { revocation } from './measures/revocation.js'
import { sessions } from './measures/sessions.js'
import { start } from './measures/start.js'
import { storm } from './measures/storm.js'
import { timingGap } from './measures/timing-gap.js'
import { verifyCore } from './measures/verify-core.js'

const MEASURES = { core: verifyCore, guard, verify: verifyRoute, profile, logins, storm, start, 'timing-gap': timingGap, revocation, sessions, cart, eddsa, feed, memory }

const options = readArguments()
const directory = mkdtempSync(join(tmpdir(), 'countersign-bench-'))
const databases = createDatabases(process.env.BENCH_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres')
const failures = []
let finishing
for (const [signal, exitCode] of [['SIGINT', 130], ['SIGTERM', 143]]) {
  process.once(signal, () => {
    say(`Stopped by ${signal}: cleaning up.`)
    finish(exitCode)
  })
}

try {
  await finish(await main())
} catch (error) {
  if (!finishing) console.error(error instanceof Error ? error.message : error)
  await finish(1)
}

async function main () {
  await databases.claimMachine()
  const settings = options.quick ? QUICK : NORMAL
  const cores = chooseCores()
  const fleet = createFleet({ databases, core: cores?.server, argon2: ARGON2, userCount: settings.users })
  const bench = {
    settings,
    cores,
    fleet,
    argon2: ARGON2,
    ...createLoaders(cores),
    /** Of these the ones asked for, running; one that does not start is reported, and does not take the others with it. */
    running: names => startChosen(names, fleet.get),
    prepared: names => startChosen(names, fleet.prepareToStart),
    mint: async (subject, count) => ({ file: await mintFile(directory, subject, count) })
  }

  const startedAt = performance.now()
  const rows = []
  for (const name of options.only) {
    say(`${MEASURES[name].title} …`)
    const began = performance.now()
    const measured = await MEASURES[name].run(bench).catch(error => failed(error))
    say(`  ${Math.round((performance.now() - began) / 1000)} s`)
    // After a failure the loaders may still be at work, and would answer the next question with the last one's answer.
    if (!measured) Object.assign(bench, createLoaders(cores))
    rows.push(...measured ?? [])
  }
  const about = describeMachine({ cores, settings, argon2: ARGON2, mode: options.quick ? 'quick' : 'normal', names: options.subjects })
  about.seconds = Math.round((performance.now() - startedAt) / 1000)
  print(about, rows)
  if (options.write) write({ about, rows, isWhole: isWhole() && failures.length === 0 })
  return failures.length > 0 ? 1 : 0
}

async function startChosen (names, start) {
  const started = []
  for (const name of names.filter(name => options.subjects.includes(name))) {
    const subject = await start(name).catch(error => failed(error))
    if (subject) started.push(subject)
  }
  return started
}

// What else was measured is worth keeping; on ctrl-C everything fails at once, and nothing is said.
function failed (error) {
  if (finishing) throw error
  const reason = error.message.split('\n')[0].replace(/:$/, '')
  if (!failures.includes(reason)) say(error.message)
  failures.push(reason)
}

function createLoaders (cores) {
  return { loader: createLoader(cores), stormLoader: createLoader(cores) }
}

function print (about, rows) {
  if (options.json) return console.log(JSON.stringify({ about, rows, failures }, null, 2))
  const doubts = rows.flatMap(({ what, subject, doubts = [] }) => doubts.map(doubt => `doubt        ${what}, ${subject}: ${doubt}`))
  const failed = [...new Set(failures)].map(failure => `failed       ${failure}`)
  console.log([toTable(rows), '', ...about.lines, `took         ${about.seconds} s`, ...doubts, ...failed].join('\n'))
}

// Whether nothing was left out.
function isWhole () {
  return !options.quick && options.only.length === Object.keys(MEASURES).length && options.subjects.length === Object.keys(subjects).length
}

// What the pages of docs/ are made of.
function write (results) {
  writeResults(results)
  for (const file of writeReport()) say(`Wrote ${file}.`)
}

function say (text) {
  process.stderr.write(`${text}\n`)
}

function finish (exitCode) {
  finishing ??= cleanUp().then(() => process.exit(exitCode))
  return finishing
}

async function cleanUp () {
  killAll()
  rmSync(directory, { recursive: true, force: true })
  await databases.dropAll().catch(error => say(`Could not drop the benchmark's databases: ${error.message}`))
}

function readArguments () {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
        only: { type: 'string', default: Object.keys(MEASURES).join() },
        subjects: { type: 'string', default: Object.keys(subjects).join() }
      }
    })
    const only = choose('--only', values.only, Object.keys(MEASURES))
    const chosen = choose('--subjects', values.subjects, Object.keys(subjects))
    const missing = chosen.filter(name => subjects[name].built === false)
    for (const name of missing) say(`${subjects[name].title} is left out: build it first (npm run build).`)
    return { ...values, only, subjects: chosen.filter(name => !missing.includes(name)) }
  } catch (error) {
    console.error(error.message)
    process.exit(2)
  }
}

function choose (option, text, known) {
  const names = text.split(',')
  const stranger = names.find(name => !known.includes(name))
  if (stranger !== undefined) throw new Error(`${option} ${stranger}: there is only ${known.join(', ')}`)
  return names
}
