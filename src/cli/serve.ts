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
    // A server that was stopped right after it began to listen has no address.
    const address = server.address() as AddressInfo | null
    if (config.nodeEnv !== 'production' && address !== null) process.stdout.write(welcome(config, address.port))
  })

function welcome ({ port, publicUrl, databaseUrl, dataDir }: Config, actualPort: number): string {
  const url = port === 0 ? `http://localhost:${actualPort}` : publicUrl
  return `
  Countersign is running at ${url}
  API page:   ${url}/docs
  Database:   ${databaseUrl === undefined ? `embedded Postgres in ${dataDir}` : 'the one in DATABASE_URL'}
  Try:        curl ${url}/auth/register -H 'content-type: application/json' -d '{"email":"ada@example.com","password":"correct horse battery"}'

`
}
