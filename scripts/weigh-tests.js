// node scripts/weigh-tests.js
// Writes scripts/test-weights.json anew, from what scripts/run-tests.js has left in .build/tap/: the seconds that each test file
// took, where they are two or more. Worth it on a quiet machine, when one process ends long after the others.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeWeights } from './test-weights.js'

const directory = join(import.meta.dirname, '../.build/tap')
// What the tests are in: where they were gathered, or else their room.
const PLACES = ['gathered', 'on-postgres', 'gateways', 'browser', 'drills']

const seconds = new Map(PLACES.map(place => [place, new Map()]))
for (const name of readdirSync(directory)) {
  const place = PLACES.find(place => name.startsWith(`${place}-`))
  if (place === undefined) continue
  const weights = seconds.get(place)
  // One that was not gathered has its name in the report's.
  let file = `${place}/${name.slice(place.length + 1).replace(/(\.test)?\.tap$/, '')}`
  for (const line of readFileSync(join(directory, name), 'utf8').split('\n')) {
    file = /^# file (.*)\.test\.js$/.exec(line)?.[1] ?? file
    const time = /^(?:not )?ok .* # time=([\d.]+)ms/.exec(line)?.[1]
    if (time !== undefined) weights.set(file, (weights.get(file) ?? 0) + Number(time) / 1000)
  }
}

writeWeights(Object.fromEntries([...seconds].filter(([, weights]) => weights.size > 0).map(([place, weights]) => {
  const heavy = [...weights].map(([file, weight]) => [file, Math.round(weight)]).filter(([, weight]) => weight >= 2)
  return [place, Object.fromEntries(heavy.sort(([one], [other]) => one < other ? -1 : 1))]
})))
