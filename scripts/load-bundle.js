import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { Script } from 'node:vm'

/**
 * Runs a bundle in CommonJS, as scripts/bundle.js writes it: its source is one function.
 *
 * V8 takes the code that was compiled at the build, where it lies beside the bundle and is of this very version of V8 with
 * the same flags. Compiling is a third of what a start costs.
 *
 * @param {string} filename
 * @returns {{ script: Script, exports: any }}
 */
export function loadBundle (filename) {
  // esbuild writes ASCII, which V8 keeps as it is.
  const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData: readCode(filename) })
  const module = { exports: {} }
  script.runInThisContext()(module.exports, createRequire(filename), module, filename, dirname(filename))
  return { script, exports: module.exports }
}

/** The file with a bundle's compiled code: its name tells the versions of Node apart, and the bundle's has a hash of what is in it. */
export function codeFile (filename) {
  return `${filename}.${process.version}-${process.arch}.code`
}

function readCode (filename) {
  try {
    return readFileSync(codeFile(filename))
  } catch {
    return undefined
  }
}
