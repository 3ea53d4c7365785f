import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../docs/markdown.ts'

/** What was wrong, by the name of a case or a script. */
type Faults = Record<string, string[]>

interface Script {
  name: string
  /** Whether it takes more than some seconds. */
  slow?: boolean
}

/** The conformance vectors, and what holds `countersign-verifier` to them: `vectors/run.js`, which runs with Node alone. */
export interface Vectors {
  vectors: { cases: ReadonlyArray<{ name: string }>, feeds: readonly Script[] }
  runTokens (): Promise<Faults>
  runFeeds (scripts: readonly Script[]): Promise<Faults>
}

export const { vectors, runTokens, runFeeds } = await import(pathToFileURL(join(root, 'vectors/run.js')).href) as Vectors
