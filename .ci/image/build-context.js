import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Copies what git would commit, less what .dockerignore names: what a build of a fresh clone is sent. */
export function copyContext (project, target) {
  const ignored = readIgnore(join(project, '.dockerignore'))
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: project, encoding: 'utf8', maxBuffer: 1e8 })
  for (const file of listed.split('\0').filter(Boolean)) {
    if (ignored(file) || !existsSync(join(project, file))) continue
    mkdirSync(join(target, dirname(file)), { recursive: true })
    cpSync(join(project, file), join(target, file), { verbatimSymlinks: true })
  }
}

function readIgnore (file) {
  const lines = readFileSync(file, 'utf8').split('\n').map(line => line.trim()).filter(line => line && !line.startsWith('#'))
  const rules = lines.map(line => ({ keeps: line.startsWith('!'), pattern: toPattern(line.replace(/^!/, '')) }))
  // As Docker reads it: the last rule that matches decides.
  return path => rules.findLast(({ pattern }) => pattern.test(path))?.keeps === false
}

function toPattern (glob) {
  const source = glob.replace(/^\/|\/$/g, '').replace(/[.+^$()|{}]/g, '\\$&')
    .replace(/\*\*\/|\*/g, match => match === '*' ? '[^/]*' : '(?:.*/)?')
  return new RegExp(`^${source}(?:/|$)`)
}
