import type { AddressInfo } from 'node:net'
import { Command } from 'commander'
import { readConfig, type Config } from '../config.ts'
import { serve } from '../server.ts'
import { lowerBackgroundThreadPriority } from './thread-priority.ts'

export const serveCommand = new Command('serve')
  .description('run the service until it receives SIGTERM or SIGINT')
  .action(async () => {
    const config = readConfig(process.env)
    const { server } = await serve(config)
    await lowerBackgroundThreadPriority()
    // Told to stop as soon as it listened, it has no address any more.
    const address = server.address() as AddressInfo | null
    if (config.nodeEnv !== 'production' && address !== null) process.stdout.write(welcome(config, address.port))
  })

function welcome ({ port, publicUrl, databaseUrl, dataDir }: Config, taken: number): string {
  const url = port === 0 ? `http://localhost:${taken}` : publicUrl
  return `
  Countersign is running at ${url}
  The API page:  ${url}/docs
  Its data:      ${databaseUrl === undefined ? `an embedded Postgres in ${dataDir}` : 'the database in DATABASE_URL'}
  Try it:        curl ${url}/auth/register -H 'content-type: application/json' -d '{"email":"ada@example.com","password":"correct horse battery"}'

`
}
