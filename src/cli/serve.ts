import type { AddressInfo } from 'node:net'
import { Command } from 'commander'
import { readConfig, type Config } from '../config.ts'
import { lowerBackgroundThreadPriority } from './thread-priority.ts'

export const serveCommand = new Command('serve')
  .description('run the service until it receives SIGTERM or SIGINT')
  .action(async () => {
    // Only here: the other commands, and --help, have no use for the service, which is most of the program.
    const { serve } = await import('../server.ts')
    const config = readConfig(process.env)
    const { server } = await serve(config)
    await lowerBackgroundThreadPriority()
    // A server that was stopped right after it began to listen has no address.
    const address = server.address() as AddressInfo | null
    if (config.nodeEnv !== 'production' && address !== null) process.stdout.write(welcome(config, address.port))
  })

function welcome ({ port, publicUrl, databaseUrl, dataDir, apiDocs }: Config, actualPort: number): string {
  const url = port === 0 ? `http://localhost:${actualPort}` : publicUrl
  return `
  Countersign is running at ${url}
${apiDocs === 'open' ? `  API page:   ${url}/docs\n` : ''}  Database:   ${databaseUrl === undefined ? `embedded Postgres in ${dataDir}` : 'the one in DATABASE_URL'}
  Try:        curl ${url}/auth/register -H 'content-type: application/json' -d '{"email":"ada@example.com","password":"correct horse battery"}'
  Stop:       Ctrl-C. To listen on another port: PORT=8080 npm start

`
}
