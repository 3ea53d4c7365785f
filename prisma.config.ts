import { defineConfig } from 'prisma/config'

// `prisma generate` fetches an engine it has no use for, unless it is told where one is. Only for this one
// command: every other one must go on failing loudly where the engine is missing.
if (process.argv.includes('generate')) process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath

export default defineConfig({ schema: 'prisma/schema.prisma', migrations: { path: 'prisma/migrations' } })
