import type { Run } from './gateway.ts'

/** How an example for Envoy is run. */
export function envoy (file: string): Run {
  return {
    files: [file],
    command: ['envoy', '-c', file, '--log-level', 'error', '--concurrency', '1', '--use-dynamic-base-id'],
    edits: ({ listen, countersign, service }) => [
      ['address: 0.0.0.0, port_value: 8080', `address: 127.0.0.1, port_value: ${listen}`],
      ['port_value: 3000', `port_value: ${countersign}`],
      ['port_value: 4000', `port_value: ${service}`]
    ]
  }
}
