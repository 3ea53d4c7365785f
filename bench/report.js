// node bench/report.js: writes the table and the chart of docs/ from what `node bench/run.js --write` last measured.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { toChart } from './harness/chart.js'
import { toTable } from './harness/table.js'

const file = path => fileURLToPath(new URL(path, import.meta.url))
const RESULTS = file('results.json')
const CHART = file('../docs/benchmark.svg')
const PAGE = file('../docs/benchmark.md')

/**
 * Keeps what was measured, and each row its day. A run of everything leaves nothing of those before; of a run in part, rows of the
 * same name and subject replace what was there.
 */
export function writeResults ({ about, rows, isWhole }) {
  const known = !isWhole && existsSync(RESULTS) ? readResults().rows : []
  const keyOf = ({ what, subject }) => `${what}\n${subject}`
  const merged = new Map(known.map(row => [keyOf(row), row]))
  for (const row of rows) merged.set(keyOf(row), { ...row, date: about.date })
  writeFileSync(RESULTS, `${JSON.stringify({ about, rows: [...merged.values()] }, null, 1)}\n`)
}

/** @returns the files that the results make, as they should be: pairs of name and text */
export function makeReport (results = readResults()) {
  return [[CHART, toChart(results)], [PAGE, toPage(results)]]
}

export function writeReport () {
  const made = makeReport()
  for (const [name, text] of made) writeFileSync(name, text)
  return made.map(([name]) => name)
}

function readResults () {
  return JSON.parse(readFileSync(RESULTS, 'utf8'))
}

function toPage ({ about, rows }) {
  const dates = [...new Set(rows.map(({ date }) => date))].sort()
  return `# What was measured

Written by \`npm run bench -- --write\`. How each number comes about, and how to read it, is told in \`bench/README.md\`. Measured on ${dates.join(' and ')}; last with \`${about.command}\`, in ${about.seconds} s.

![The numbers of the table as bars](benchmark.svg)

${toTable(rows)}

\`?\` marks a row during which the loader was at its limit, or another process was busy.

\`\`\`
${about.lines.join('\n')}
\`\`\`
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of writeReport()) console.log(`Wrote ${name}.`)
}
