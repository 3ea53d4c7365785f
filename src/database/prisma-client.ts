import { PrismaClient } from '../generated/prisma/client.ts'
import type { Prisma } from '../generated/prisma/client.ts'
import type { Db } from './database.ts'

/** Creates a process's Prisma client on a driver adapter. */
export function createPrismaClient (adapter: Prisma.PrismaClientOptionsWithAdapter['adapter']): Db {
  return new PrismaClient({
    adapter,
    errorFormat: 'minimal',
    omit: { user: { passwordHash: true } },
    transactionOptions: { maxWait: 2_000, timeout: 5_000 }
  })
}
