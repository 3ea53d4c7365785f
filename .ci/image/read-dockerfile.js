import { readFileSync } from 'node:fs'

/**
 * Reads a Dockerfile into its stages. It knows what this project's says and refuses the rest, so that nothing the
 * image does is passed over in silence.
 */
export function readDockerfile (file) {
  const stages = []
  for (const line of logicalLines(readFileSync(file, 'utf8'))) {
    const [, instruction, rest] = /^(\w+)\s+(.*)$/s.exec(line)
    if (instruction === 'FROM') stages.push(readStage(rest, stages.length))
    else if (instruction in readers) stages.at(-1).steps.push({ instruction, line, ...readers[instruction](rest) })
    else throw new Error(`The Dockerfile says ${instruction}, which .ci/image does not know`)
  }
  return stages
}

function logicalLines (text) {
  return text.replace(/^\s*#.*\n/gm, '').replace(/\\\n\s*/g, ' ').split('\n').map(line => line.trim()).filter(Boolean)
}

function readStage (rest, index) {
  const [, base, name = String(index)] = /^(\S+)(?: AS (\S+))?$/i.exec(rest)
  return { name, base, steps: [] }
}

const nothing = () => ({})

const readers = {
  WORKDIR: path => ({ path }),
  RUN: command => ({ command }),
  COPY: readCopy,
  ENV: rest => ({ variables: Object.fromEntries(rest.split(/\s+/).map(pair => pair.split('='))) }),
  VOLUME: path => ({ path }),
  HEALTHCHECK: rest => ({ command: JSON.parse(rest.slice(rest.indexOf('CMD ') + 4)) }),
  CMD: rest => ({ command: JSON.parse(rest) }),
  STOPSIGNAL: signal => ({ signal }),
  USER: nothing,
  EXPOSE: nothing
}

function readCopy (rest) {
  const words = rest.split(/\s+/)
  const flags = words.filter(word => word.startsWith('--'))
  const paths = words.filter(word => !word.startsWith('--'))
  return {
    from: flags.find(flag => flag.startsWith('--from='))?.slice('--from='.length),
    sources: paths.slice(0, -1),
    target: paths.at(-1)
  }
}
