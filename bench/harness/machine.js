import { cpus, totalmem } from 'node:os'
import { subjects, versionsOf } from './subjects.js'

/** What a reader must know to compare one table with another. */
export function describeMachine ({ cores, settings, argon2, mode, names }) {
  const processors = cpus()
  const machine = {
    cpu: processors[0]?.model.trim(),
    cores: processors.length,
    memoryGigabytes: Math.round(totalmem() / 1e9),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    openssl: process.versions.openssl
  }
  const versions = Object.fromEntries(names.filter(name => subjects[name].packages).map(name => [name, versionsOf(subjects[name].packages)]))
  const pinning = cores ? `servers on core ${cores.server}, load on core ${cores.load}` : 'not pinned (no taskset, or one core): ratios are rougher'
  const peers = [...new Set(Object.values(versions).flat())].join(', ')
  const hashes = names.map(name => `${subjects[name].title}: ${subjects[name].hash}`).join('; ')

  return {
    machine,
    date: new Date().toISOString().slice(0, 10),
    command: ['node bench/run.js', ...process.argv.slice(2)].join(' '),
    pinned: cores ?? null,
    mode,
    settings,
    argon2,
    versions,
    lines: [
      `machine      ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGigabytes} GB, ${machine.platform}, node ${machine.node}, openssl ${machine.openssl}`,
      `pinning      ${pinning}`,
      `peers        ${peers || 'none'}`,
      `hashes       ${hashes}`,
      `argon2id     memory ${argon2.ARGON2_MEMORY_KIB} KiB, ${argon2.ARGON2_ITERATIONS} passes, ${argon2.ARGON2_PARALLELISM} lane`,
      `load         ${settings.connections} connections, ${settings.rounds} interleaved rounds of ${settings.seconds} s; storm: ${settings.stormClients} clients ` +
        `pausing ${settings.stormPauseMs} ms, ${settings.pacePerSecond} verifications/s, ${settings.stormRounds} rounds of ${settings.stormSeconds} s (${mode})`
    ]
  }
}
