/**
 * What Node is started with, by a test, where the embedded database is opened: optimising the engine's WebAssembly takes
 * longer than a test runs it. For the tests' own processes `package.json` says so.
 */
export const NODE_FLAGS: readonly string[] = process.env.DATABASE_URL === undefined ? ['--liftoff-only'] : []
