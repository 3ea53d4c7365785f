import { Command } from 'commander'
import { writeOutput } from '../output.ts'
import { present, withRegistry } from './registry.ts'

export const listCommand = new Command('list')
  .description('list the registered services')
  .option('--json', 'print them as JSON')
  .action(async ({ json = false }: { json?: boolean }) => {
    const items = (await withRegistry(clients => clients.list())).map(present)
    const lines = items.map(({ id, name, audience, scopes }) => [id, name, ...audience === null ? [] : [`audience ${audience}`], ...scopes].join('  '))
    writeOutput(json, { items }, ...lines.length === 0 ? ['No service is registered.'] : lines)
  })
