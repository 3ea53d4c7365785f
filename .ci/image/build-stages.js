import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

/** Plays a Dockerfile's stages, each in a directory of its own that stands for its file system. Answers the last. */
export function buildStages (stages, { context, work }) {
  const built = new Map()
  for (const stage of stages) {
    const root = join(work, `stage-${stage.name}`)
    mkdirSync(root)
    const state = { root, workdir: '/', env: {} }
    built.set(stage.name, state)
    console.log(`-- stage ${stage.name}`)
    for (const step of stage.steps) {
      play[step.instruction]?.(step, state, name => name === undefined ? context : built.get(name).root)
    }
  }
  return [...built.values()].at(-1)
}

const inside = (root, workdir, path) => join(root, resolve(workdir, path))

const play = {
  WORKDIR ({ path }, state) {
    state.workdir = resolve(state.workdir, path)
    mkdirSync(join(state.root, state.workdir), { recursive: true })
  },

  ENV ({ variables }, state) {
    Object.assign(state.env, variables)
  },

  COPY ({ from, sources, target }, { root, workdir }, rootOf) {
    for (const source of sources) {
      const path = inside(rootOf(from), '/', source)
      const isFile = statSync(path).isFile()
      const into = inside(root, workdir, target)
      cpSync(path, isFile && (target.endsWith('/') || sources.length > 1) ? join(into, basename(source)) : into, { recursive: true, verbatimSymlinks: true })
    }
  },

  RUN ({ command }, { root, workdir, env }) {
    const started = Date.now()
    if (/(^|\s)\/\w/.test(command)) return console.log(`   not run, for it needs the image's own file system: ${command}`)
    const cwd = join(root, workdir)
    execFileSync('sh', ['-ec', command], { cwd, env: { ...surroundings(), ...env }, stdio: ['ignore', 'inherit', 'inherit'] })
    console.log(`   ${command} (${Math.round((Date.now() - started) / 1000)} s)`)
  }
}

/** What a build may know of this machine: how to run and to fetch, not what this shell holds of the project. */
export function surroundings () {
  const kept = /^(PATH|HOME|TMPDIR|LANG|CI|NO_COLOR|SSL_CERT_.*|NODE_EXTRA_CA_CERTS|npm_config_.*|(https?|no)_proxy)$/i
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => kept.test(name)))
}

/** Fails where an install wrote the lock anew. */
export function checkLock (context, { root, workdir }) {
  const [before, after] = [join(context, 'package-lock.json'), inside(root, workdir, 'package-lock.json')].map(file => readFileSync(file, 'utf8'))
  if (before !== after) throw new Error('npm ci changed package-lock.json')
}
