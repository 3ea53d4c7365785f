// A process that inserts users into the embedded database in argv[2] and prints each one's number once it is stored.
import { randomUUID } from 'node:crypto'
import { writeSync } from 'node:fs'
import { openDatabase } from '../../src/database/open-database.ts'
import { silent } from '../support/database.ts'

const database = await openDatabase({ dataDir: process.argv[2] ?? '', log: silent })
for (let number = 1; ; number++) {
  await database.prisma.user.create({ data: { id: randomUUID(), email: `${number}@example.com`, name: 'x'.repeat(500) } })
  writeSync(1, `stored ${number}\n`)
}
