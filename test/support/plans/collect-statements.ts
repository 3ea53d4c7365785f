import { register, type ResolveHook } from 'node:module'
import { isMainThread } from 'node:worker_threads'

const original = new URL('../../../src/database/statement.js', import.meta.url).href
const collecting = new URL('collected-statements.js', import.meta.url).href

/** Gives modules that are loaded from now on, in the place of `statement.ts`, what notes each statement that they compile. */
export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const found = await nextResolve(specifier, context)
  return found.url === original && context.parentURL !== collecting ? { ...found, url: collecting } : found
}

// The same file runs the hooks, in a thread of their own.
if (isMainThread) register(import.meta.url)
