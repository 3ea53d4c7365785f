import { readFileSync } from 'node:fs'

const manifest: { version: string } = JSON.parse(readFileSync(new URL(import.meta.resolve('countersign/package.json')), 'utf8'))

/** The version of this package. */
export const { version } = manifest
