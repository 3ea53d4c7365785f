/** A statement prepared once per connection under its name: one name must always stand for one text. */
export interface Statement {
  readonly name: string
  /** SQL with the parameters `$1`, `$2` and so on. */
  readonly text: string
  /** What `$1`, `$2` and so on are called, in this order. Without it the values are given by position. */
  readonly parameters?: readonly string[]
}

/** The values of a statement's parameters: by name, or in their order where the statement names none. */
export type StatementValues = Readonly<Record<string, unknown>> | readonly unknown[]

// What may hold a colon or a dollar sign that starts no parameter comes first.
const TOKEN = new RegExp([
  /\b[eE]'(?:[^'\\]|\\.|'')*'/, // a string with backslash escapes
  /'(?:[^']|'')*'/,
  /"(?:[^"]|"")*"/,
  /(?<![\w$])\$(?<tag>(?:[a-zA-Z_]\w*)?)\$.*?\$\k<tag>\$/, // a dollar-quoted string
  /--[^\n]*/,
  /\/\*.*?\*\//,
  /(?<![\w$])\$(?<position>\d+)/,
  // Not the second half of `::`, nor what ends an array's slice, as in `list[1:length]`.
  /(?<![\w:)\]'"]):(?<parameter>[a-zA-Z_]\w*)/
].map(({ source }) => source).join('|'), 'gs')

/**
 * Compiles SQL with named parameters, such as `:userId::uuid`, for `Database.query`. To be called once, before any query: a
 * query then only looks the values up in a known order. A name that occurs several times is one parameter.
 *
 * A colon behind a word, a quote or a closing bracket starts no parameter: `list[1:length]` is a slice.
 *
 * @throws TypeError where the SQL also has `$1`
 */
export function statement (name: string, sql: string): Required<Statement> {
  const parameters: string[] = []

  const text = sql.replace(TOKEN, (token: string, ...match: unknown[]) => {
    const { position, parameter } = match.at(-1) as { position?: string, parameter?: string }
    if (position !== undefined) throw new TypeError(`The statement ${name} mixes named parameters with ${token}`)
    if (parameter === undefined) return token
    const index = parameters.indexOf(parameter)
    return `$${index === -1 ? parameters.push(parameter) : index + 1}`
  })
  return { name, text, parameters }
}

/**
 * The values of a statement in the order of its parameters. Values that it does not name are left out.
 *
 * @throws TypeError where a value is missing: NULL is to be written as `null`
 */
export function bindValues ({ name, parameters }: Statement, values: StatementValues): unknown[] {
  if (parameters === undefined) return [...values as readonly unknown[]]
  const named = values as Readonly<Record<string, unknown>>
  return parameters.map(parameter => {
    const value = named[parameter]
    if (value === undefined) throw new TypeError(`The statement ${name} lacks a value for :${parameter}`)
    return value
  })
}
