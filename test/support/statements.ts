import type { TestService } from './service.ts'

/** The names of the statements about sessions that a service sends, from now on, in their order. */
export function watchStatements ({ database }: Pick<TestService, 'database'>): string[] {
  const names: string[] = []
  const { query } = database
  database.query = (statement, values) => {
    if (statement.name.startsWith('sessions.')) names.push(statement.name)
    return query(statement, values)
  }
  return names
}
