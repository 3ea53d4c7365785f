// A process that opens the embedded database in argv[2] and holds it until it is killed.
import { openDatabase } from '../../src/database/open-database.ts'
import { silent } from '../support/database.ts'

try {
  await openDatabase({ dataDir: process.argv[2] ?? '', log: silent })
  console.log('opened')
  setInterval(() => {}, 1_000)
} catch (error) {
  console.log(`refused ${error instanceof Error && 'code' in error ? String(error.code) : ''} ${String(error)}`)
}
