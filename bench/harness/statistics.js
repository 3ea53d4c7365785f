/** The value below which a share of the values lies; `share` from 0 to 1. */
export function quantile (values, share) {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

export function median (values) {
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export function summarize (values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), rounds: values.length }
}

/** Ratios of two series measured in turn, round by round, so that a slow spell of the machine hits both sides. */
export function summarizeRatios (above, below) {
  return summarize(above.map((value, round) => value / below[round]))
}

/** Runs each contestant once a round, the other way round every second round. */
export async function interleave (rounds, contestants) {
  const results = Object.fromEntries(Object.keys(contestants).map(name => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const order = Object.entries(contestants)
    if (round % 2) order.reverse()
    for (const [name, measure] of order) results[name].push(await measure(round))
  }
  return results
}
