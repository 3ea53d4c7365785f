// node scripts/weigh-tests.js
// Writes scripts/test-weights.json anew, from what the last `npm test` has left in .build/tap/: the seconds that each test file
// took, where they are two or more. Worth it on a quiet machine, when one process ends long after the others.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const weights = join(import.meta.dirname, 'test-weights.json')
const directory = join(import.meta.dirname, '../.build/tap')

const seconds = new Map()
for (const name of readdirSync(directory)) {
  let file = /^(.*)\.test\.tap$/.exec(name)?.[1]
  for (const line of readFileSync(join(directory, name), 'utf8').split('\n')) {
    file = /^# file (.*)\.test\.js$/.exec(line)?.[1] ?? file
    const time = /^(?:not )?ok .* # time=([\d.]+)ms/.exec(line)?.[1]
    if (time !== undefined) seconds.set(file, (seconds.get(file) ?? 0) + Number(time) / 1000)
  }
}

// A drill's name is that of its report.
const known = JSON.parse(readFileSync(weights, 'utf8'))
const drills = Object.entries(known).filter(([file]) => file.startsWith('drills/')).map(([file, weight]) => [file, seconds.get(file.slice('drills/'.length)) ?? weight])
const tests = [...seconds].filter(([file]) => file?.includes('/'))
const heavy = [...tests, ...drills].map(([file, weight]) => [file, Math.round(weight)]).filter(([, weight]) => weight >= 2)
writeFileSync(weights, `${JSON.stringify(Object.fromEntries(heavy.sort(([one], [other]) => one < other ? -1 : 1)), null, 2)}\n`)
