import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { Command } from 'commander'
import { readConfig, type Config } from '../config.ts'
import { serve } from '../server.ts'
import { lowerBackgroundThreadPriority } from './thread-priority.ts'

export const serveCommand = new Command('serve')
  .description('run the service until it is told to stop')
  .action(async () => {
    collectEarly()
    const config = readConfig(process.env)
    const { server } = await serve(config)
    await lowerBackgroundThreadPriority()
    if (config.nodeEnv !== 'production') process.stdout.write(welcome(config, (server.address() as AddressInfo).port))
  })

// Under load V8 lets the heap grow to four times what is alive before it looks for what is not: that would be most of the
// process. By a third is enough, and costs next to nothing, for little is alive.
function collectEarly (): void {
  setFlagsFromString('--heap-growing-percent=30')
  // Threads that help to collect stand behind those that hash: the one that answers would wait for both.
  setFlagsFromString('--no-parallel-scavenge')
}

function welcome ({ port, publicUrl, databaseUrl, dataDir }: Config, taken: number): string {
  const url = port === 0 ? `http://localhost:${taken}` : publicUrl
  return `
  Countersign is running at ${url}
  The API page:  ${url}/docs
  Its data:      ${databaseUrl === undefined ? `an embedded Postgres in ${dataDir}` : 'the database in DATABASE_URL'}
  Try it:        curl ${url}/auth/register -H 'content-type: application/json' -d '{"email":"ada@example.com","password":"correct horse battery"}'

`
}
