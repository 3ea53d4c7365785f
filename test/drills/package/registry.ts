import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export const run = promisify(execFile)

/** Why a test that installs packages cannot run here; false where it can. */
export const offline: string | false = await run('npm', ['view', 'fastify-plugin', 'version', '--fetch-retries=0', '--fetch-timeout=10000'])
  .then(() => false, () => 'needs the npm registry')

/** The environment of the package managers: each asks the registry that npm asks, and keeps its files in `cache`. */
export async function registryEnvironment (cache: string): Promise<NodeJS.ProcessEnv> {
  const { stdout } = await run('npm', ['config', 'get', 'registry'])
  const registry = stdout.trim()
  return {
    // What npm says to the scripts it runs is not for the projects of a test.
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:npm_(?:package|lifecycle|command)|TAP|NODE_OPTIONS|NODE_ENV|DATABASE_URL|REDIS_URL)/.test(name))),
    npm_config_registry: registry,
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    YARN_CACHE_FOLDER: cache,
    YARN_NPM_REGISTRY_SERVER: registry,
    YARN_ENABLE_TELEMETRY: 'false',
    YARN_ENABLE_GLOBAL_CACHE: 'false',
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false'
  }
}
