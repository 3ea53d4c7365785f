import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Database } from '../../../src/database/database.ts'

type Db = Database['prisma']

const SOURCES = new URL('../../../src/', import.meta.url)
const OPERATION = /\b(?:prisma|tx)\.(?:\w+\.(?:find|create|update|upsert|delete|count|aggregate|groupBy)\w*\(|\$(?:query|execute)Raw`)/
/** SQL of a statement that is compiled, which is explained as such. */
const COMPILED = /\b(?:prisma|tx)\.\$(?:query|execute)RawUnsafe\(/

/** Every line of the service's modules, as they were transpiled, where Prisma's client makes a statement: `accounts/store.js:12`. */
export function prismaCalls (): string[] {
  return linesWith(OPERATION)
}

/** Lines where Prisma's client sends SQL that nobody else knows of. */
export function unknownSql (): string[] {
  return linesWith(COMPILED, line => !/RawUnsafe\((\w+)\.text, \.\.\.bindValues\(\1,/.test(line))
}

function linesWith (pattern: RegExp, condition: (line: string) => boolean = () => true): string[] {
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.js') && !file.startsWith('generated'))
    .flatMap(file => readFileSync(new URL(file, SOURCES), 'utf8').split('\n')
      .flatMap((line, index) => pattern.test(line) && condition(line) ? [`${file}:${index + 1}`] : []))
    .sort()
}

/** Notes in `called` from which lines Prisma's client is called. */
export function watchPrisma<Client extends object> (client: Client, called: Set<string>): Client {
  return new Proxy(client, {
    get (target, property) {
      const value: unknown = Reflect.get(target, property, target)
      if (property === '$transaction') return (work: unknown, ...rest: unknown[]) => (value as Db['$transaction']).call(target, ((tx: Db) => (work as (tx: Db) => Promise<unknown>)(watchPrisma(tx, called))) as never, ...rest as [])
      if (typeof value === 'function') return (...given: unknown[]) => { called.add(caller()); return (value as (...given: unknown[]) => unknown).apply(target, given) }
      return typeof value === 'object' && value !== null ? watchPrisma(value, called) : value
    }
  })
}

/** The line that called what called this: where it stands in what was transpiled. */
function caller (): string {
  const { prepareStackTrace } = Error
  Error.prepareStackTrace = (_error, sites) => sites
  const sites = new Error().stack as unknown as NodeJS.CallSite[]
  Error.prepareStackTrace = prepareStackTrace
  const site = sites.find(site => (site.getFileName() ?? '').startsWith(SOURCES.href))
  return site === undefined ? '' : `${fileURLToPath(site.getFileName() ?? '').slice(fileURLToPath(SOURCES).length)}:${site.getLineNumber()}`
}
