import { Command } from 'commander'
import { writeOutput } from '../output.ts'
import { known, withRegistry } from './registry.ts'

export const removeCommand = new Command('remove')
  .description('end a service\'s access: its secrets and its tokens are good no longer, and its audience is free')
  .argument('<id>', 'the client id')
  .option('--json', 'print what was removed as JSON')
  .action(async (id: string, { json = false }: { json?: boolean }) => {
    const { name } = known(id, await withRegistry(clients => clients.remove(id)))
    writeOutput(json, { removed: { id, name } }, `Removed ${name}, ${id}.`)
  })
