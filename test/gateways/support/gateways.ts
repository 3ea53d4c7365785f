import type { Run } from './gateway.ts'

type Edit = readonly [from: string, to: string]

// Where nginx keeps what it cannot pass on at once, which is otherwise a place for root alone.
const PLACES = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${name};`).join(' ')

/** How each example is run. @param edits what is put in place of what besides */
export function nginx (...edits: Edit[]): Run {
  return {
    files: ['nginx.conf'],
    command: ['nginx', '-p', '.', '-c', 'nginx.conf', '-g', 'daemon off; master_process off; error_log stderr error;'],
    edits: ({ listen }) => [['listen 8080;', `listen 127.0.0.1:${listen};`], ['access_log off;', `access_log off; ${PLACES}`], ...edits]
  }
}

export function haproxy (...edits: Edit[]): Run {
  return {
    files: ['haproxy.cfg', 'haproxy-countersign.lua'],
    command: ['haproxy', '-db', '-f', 'haproxy.cfg'],
    // Abstract sockets belong to the whole machine.
    edits: ({ listen }) => [['bind :8080', `bind 127.0.0.1:${listen}`], ['abns@questions', `abns@questions-${listen}`], ...edits]
  }
}

export function caddy (...edits: Edit[]): Run {
  return {
    files: ['Caddyfile'],
    command: ['caddy', 'run'],
    edits: ({ listen }) => [['{\n\tservers {', '{\n\tadmin off\n\tservers {'], ['app.example.com {', `http://:${listen} {\n\tbind 127.0.0.1`], ...edits]
  }
}

export function apache (...edits: Edit[]): Run {
  return {
    files: ['apache.conf', 'apache-countersign.lua'],
    command: ['sh', '-c', 'exec apache2 -X -d "$PWD" -f "$PWD/apache.conf"'],
    edits: ({ listen }) => [['Listen 8080', `Listen 127.0.0.1:${listen}`], ['ErrorLog apache.log', 'ErrorLog |/bin/cat'], ...edits]
  }
}

/** @param file which of its examples */
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
