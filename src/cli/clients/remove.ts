import { Command } from 'commander'
import { writeOutput } from '../output.ts'
import { known, withRegistry } from './registry.ts'

export const removeCommand = new Command('remove')
  .description('remove a service: its secrets and tokens become invalid, and its audience is free')
  .argument('<id>', 'the client id')
  .option('--json', 'print the removed service as JSON')
  .action(async (id: string, { json = false }: { json?: boolean }) => {
    const { name } = known(id, await withRegistry(clients => clients.remove(id)))
    writeOutput(json, { removed: { id, name } }, `Removed ${name}, ${id}.`)
  })
