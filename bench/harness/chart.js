// The results that have something beside them, as bars: one SVG, without a script or a font of its own, for light and dark pages.
import { result } from './table.js'

const WIDTH = 760
const NAMES = 190
const NUMBERS = 90
const BAR = 14
const STEP = 22
// A bar that is longer than this many times the next one is cut, and shows it: else the others would be lines.
const CUT_BEYOND = 4

const OURS = /^countersign/
// It had a part of the load alone.
const NOT_DRAWN = /limits on$/

/** Which rows are drawn: `unit` behind the number, `number` where it is not the row's result. */
const GROUPS = [
  { what: 'guard, tokens seen before', title: 'Share of a route’s requests per second that is left behind a guard', better: 'longer is better', number: undefined, digits: 2, longest: 1 },
  { what: 'p99 of verify in a storm ÷ fastify’s', title: 'p99 of a verification while 32 clients log in', better: 'shorter is better', number: ({ p99Milliseconds }) => p99Milliseconds.pooled, unit: ' ms', digits: 1 },
  { what: 'start → first 200, s', title: 'Start on PostgreSQL, until the first 200', better: 'shorter is better', unit: ' s', digits: 2 },
  { what: 'resident memory after load, MB', title: 'Resident memory after the load', better: 'shorter is better', unit: ' MB', digits: 0 }
]

/** @returns the text of an SVG document */
export function toChart ({ about, rows }) {
  const parts = []
  let y = 24
  for (const group of GROUPS) {
    const drawn = rows.filter(row => row.what === group.what && !NOT_DRAWN.test(row.subject) && numberOf(group, row) !== undefined).sort((one, other) => OURS.test(other.subject) - OURS.test(one.subject))
    if (drawn.length < 2) continue
    parts.push(text(0, y, `${group.title} · ${group.better}`, 'title'))
    y += 12
    const numbers = drawn.map(row => numberOf(group, row))
    const longest = group.longest ?? longestBar(numbers)
    for (const [index, row] of drawn.entries()) {
      parts.push(bar(row, numbers[index], { y, longest, ...group }))
      y += STEP
    }
    y += 26
  }
  parts.push(text(0, y - 6, `${about.date}, ${about.machine.cpu}, ${about.machine.cores} cores, Node ${about.machine.node.slice(1)}: the numbers of docs/benchmark.md${drawnInDoubt(rows) ? '; ?: another process was busy' : ''}`, 'note'))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 0 ${WIDTH + 24} ${y + 8}" width="${WIDTH + 24}" height="${y + 8}" role="img" aria-label="Countersign measured beside others">
${STYLE}
<rect class="page" x="-12" width="100%" height="100%"/>
${parts.join('\n')}
</svg>
`
}

function drawnInDoubt (rows) {
  return GROUPS.some(({ what }) => rows.some(row => row.what === what && row.doubts?.length > 0))
}

function numberOf ({ number }, row) {
  return number === undefined ? result(row)?.median : number(row)
}

// The longest of those that are not cut.
function longestBar (numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  while (sorted.length > 1 && sorted.at(-1) > CUT_BEYOND * sorted.at(-2)) sorted.pop()
  return sorted.length < numbers.length ? sorted.at(-1) * 1.5 : sorted.at(-1)
}

function bar ({ subject: name, doubts = [] }, number, { y, longest, unit = '', digits }) {
  const room = WIDTH - NAMES - NUMBERS
  const isCut = number > longest
  const length = Math.max(2, Math.min(1, number / longest) * room)
  const [left, right] = [NAMES, NAMES + length]
  const mark = isCut ? `<path class="cut" d="M${right - 24} ${y + BAR + 2} l6 ${-BAR - 4} m4 0 l-6 ${BAR + 4}"/>` : ''
  return [
    text(NAMES - 8, y + 11, name, OURS.test(name) ? 'name ours' : 'name'),
    `<rect class="${OURS.test(name) ? 'bar ours' : 'bar'}" x="${left}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="2"/>${mark}`,
    text(right + 6, y + 11, `${number.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits })}${unit}${doubts.length > 0 ? ' ?' : ''}`, OURS.test(name) ? 'ours' : '')
  ].join('\n')
}

function text (x, y, content, kind) {
  return `<text${kind ? ` class="${kind}"` : ''} x="${x}" y="${y}">${content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`
}

const STYLE = `<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 13px }
.name { text-anchor: end }
.note { fill: #57606a; font-size: 11px }
.ours { font-weight: 600 }
.page { fill: #ffffff }
.bar { fill: #afb8c1 }
.bar.ours { fill: #0969da }
.cut { stroke: #ffffff; stroke-width: 3; fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .note { fill: #9198a1 }
  .page { fill: #0d1117 }
  .bar { fill: #545d68 }
  .bar.ours { fill: #4493f8 }
  .cut { stroke: #0d1117 }
}
</style>`
