import { statement as compile, type Statement } from '../../../src/database/statement.ts'

export * from '../../../src/database/statement.ts'

/** Every statement that was compiled in this process since `collect-statements.ts` was loaded, by its name. */
export const statements = new Map<string, Required<Statement>>()

/** What the stores get for `statement` once `collect-statements.ts` is loaded. */
export function statement (name: string, sql: string): Required<Statement> {
  const compiled = compile(name, sql)
  statements.set(name, compiled)
  return compiled
}
