// Resident memory of every server this run has loaded, after the load.
import { residentMegabytes } from '../harness/processes.js'

export const memory = {
  title: 'resident memory after the load above',
  async run (bench) {
    const rows = []
    for (const subject of await bench.fleet.started()) {
      const megabytes = residentMegabytes(subject.child.pid)
      if (megabytes === undefined) continue
      rows.push({
        what: 'resident memory after load, MB',
        subject: subject.title,
        target: subject.name === 'service' ? '≤ 130' : '',
        value: { median: megabytes, min: megabytes, max: megabytes, rounds: 1 },
        detail: ''
      })
    }
    return rows
  }
}
