import { Command } from 'commander'
import { withDatabase } from './with-database.ts'
import { writeOutput } from './output.ts'

export const migrateCommand = new Command('migrate')
  .description('apply the migrations that the database has not seen; serve does so too')
  .option('--json', 'print the names as JSON')
  .action(async ({ json = false }: { json?: boolean }) => {
    const migrated = await withDatabase(async database => database.migrated)
    const text = migrated.length === 0 ? 'Nothing to do: the database is up to date.' : `Applied ${migrated.join(', ')}.`
    writeOutput(json, { migrated }, text)
  })
