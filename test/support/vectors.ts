import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../docs/markdown.ts'

/** What was wrong, by the name of a case or a script. */
type Faults = Record<string, string[]>

interface Script {
  name: string
  /** Whether it takes more than some seconds. */
  slow?: boolean
  steps: ReadonlyArray<Readonly<Record<string, unknown>>>
}

/** What a script talks to. */
type Adapter = object

/** The conformance vectors, and what holds `countersign-verifier` to them: `vectors/run.js` and its adapter, which run with Node alone. */
export interface Vectors {
  vectors: { cases: ReadonlyArray<{ name: string }>, feeds: readonly Script[] }
  runTokens (): Promise<Faults>
  runFeeds (scripts: readonly Script[], start?: (script: Script) => Adapter): Promise<Faults>
  startAdapter (): Adapter
  adapterInProcess (): Adapter
}

export const { vectors, runTokens, runFeeds, startAdapter, adapterInProcess } = {
  ...await import(pathToFileURL(join(root, 'vectors/run.js')).href),
  ...await import(pathToFileURL(join(root, 'vectors/adapter.js')).href)
} as Vectors
