import { PrismaClient } from '../generated/prisma/client.ts'
import type { Prisma } from '../generated/prisma/client.ts'
import type { Db } from './database.ts'

/** Makes the one Prisma client of a process over a driver adapter. */
export function createPrismaClient (adapter: Prisma.PrismaClientOptionsWithAdapter['adapter']): Db {
  return new PrismaClient({
    adapter,
    errorFormat: 'minimal',
    omit: { user: { passwordHash: true } },
    transactionOptions: { maxWait: 2_000, timeout: 5_000 }
  })
}
