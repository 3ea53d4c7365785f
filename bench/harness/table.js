const COLUMNS = ['what', 'subject', 'result', 'min–max', 'target', 'met', 'measured']

/** The rows of every measurement as one Markdown table. */
export function toTable (rows) {
  const cells = rows.map(row => [
    row.what,
    row.subject,
    format(result(row)?.median),
    result(row)?.rounds > 1 ? `${format(result(row).min)}–${format(result(row).max)}` : '',
    row.target,
    verdict(row),
    row.detail
  ])
  const widths = COLUMNS.map((name, column) => Math.max(name.length, ...cells.map(row => row[column].length)))
  const line = row => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
  const rule = `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`
  return [line(COLUMNS), rule, ...cells.map(line)].join('\n')
}

/** Whether a row reaches its target; `undefined` where it has none. */
function isMet (row) {
  const [sign, limit] = row.target.split(' ')
  const value = result(row)?.median
  if (!limit || value === undefined) return undefined
  return sign === '≥' ? value >= Number(limit) : value <= Number(limit)
}

// A number that others had a hand in is no answer, whichever way it fell.
function verdict (row) {
  if (row.doubts?.length > 0) return '?'
  if (isMet(row) === undefined) return ''
  return isMet(row) ? 'yes' : 'no'
}

/** A row's result: its ratio, or its value. */
export function result (row) {
  return row.ratio ?? row.value
}

function format (value) {
  if (value === undefined) return ''
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(value < 0.1 ? 3 : 2)
}
