import { Command } from 'commander'
import { withDatabase } from './with-database.ts'
import { writeOutput } from './output.ts'

export const migrateCommand = new Command('migrate')
  .description('apply pending database migrations; serve does so at its start')
  .option('--json', 'print the names of the applied migrations as JSON')
  .action(async ({ json = false }: { json?: boolean }) => {
    const migrated = await withDatabase(async database => database.migrated)
    const text = migrated.length === 0 ? 'Nothing to do: the database is up to date.' : `Applied ${migrated.join(', ')}.`
    writeOutput(json, { migrated }, text)
  })
