import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../../', import.meta.url))

/** A fenced block of a page. */
export interface Block {
  readonly language: string
  readonly text: string
}

/** @param page its path from the root of the repository */
export function readPage (page: string): Promise<string> {
  return readFile(`${root}${page}`, 'utf8')
}

/** The pages that tell users how things are done. */
export async function pages (): Promise<string[]> {
  const guides = await readdir(`${root}docs`)
  return ['README.md', 'UPGRADING.md', 'verifier/README.md', ...guides.filter(name => name.endsWith('.md')).map(name => `docs/${name}`)]
}

export function blocksOf (markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({ language, text }))
}
