/** The most statements that are kept prepared on one connection. */
const LIMIT = 200

/**
 * Names Prisma's statements, so that Postgres plans each of them once per connection. Beyond the first {@link LIMIT} they
 * stay unnamed: lists of varying length would otherwise fill the server's memory.
 */
export function createStatementNames (): (query: { sql: string }) => string {
  const names = new Map<string, string>()
  return ({ sql }) => {
    const known = names.get(sql)
    if (known !== undefined) return known
    if (names.size === LIMIT) return ''
    const name = `p${names.size + 1}`
    names.set(sql, name)
    return name
  }
}
