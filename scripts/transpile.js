import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')

/**
 * Writes the JavaScript that `tsc` would, and checks no types.
 *
 * @param {string[]} sources files, from the repository's root
 * @param {import('esbuild').BuildOptions} where `outdir`, and what else is particular
 */
export async function transpile (sources, where) {
  await build({
    absWorkingDir: root,
    entryPoints: sources,
    // Every module stays one: only so can a plugin change what an import names.
    bundle: true,
    treeShaking: false,
    packages: 'external',
    plugins: [{ name: 'apart', setup: build => build.onResolve({ filter: /^\.\.?\// }, asJavaScript) }],
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'warning',
    ...where
  })
}

/** The TypeScript in a directory, from the repository's root; not its declarations. */
export function sourcesIn (directory) {
  return readdirSync(join(root, directory), { recursive: true })
    .map(name => join(directory, name))
    .filter(file => /(?<!\.d)\.ts$/.test(file))
}

function asJavaScript ({ kind, path }) {
  return kind === 'entry-point' ? undefined : { path: path.replace(/\.ts$/, '.js'), external: true }
}
