import type { Probe } from './health.ts'
import type { Metrics } from './metrics.ts'

/** Reports whether each dependency is available, as of the scrape. */
export function addDependencyMetrics (metrics: Pick<Metrics, 'gauge'>, probes: Readonly<Record<string, Probe>>): void {
  for (const [name, probe] of Object.entries(probes)) {
    metrics.gauge(`countersign_${name}_up`, `Whether ${name} is available and takes writes`, () => probe().then(() => 1, () => 0))
  }
}
