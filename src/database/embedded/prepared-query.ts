import { parse, protocol, type PGlite } from '@electric-sql/pglite'
import { columnParsers } from '../column-parsers.ts'
import { bindValues, type Statement, type StatementValues } from '../statement.ts'

const { serialize } = protocol

/**
 * Runs statements on an embedded engine, each parsed and planned once, as on a connection to PostgreSQL: the engine takes three times
 * as long to plan most of them as to run them. Its own `query` knows no names of statements.
 */
export function createPreparedQuery (engine: PGlite) {
  /** The types of the parameters, by the names of the statements that the engine knows. */
  const prepared = new Map<string, readonly number[]>()
  // To be merged once: with those that differ as an option, the engine does it for each result.
  const parsers = { ...engine.parsers, ...columnParsers }

  async function prepare ({ name, text }: Statement): Promise<readonly number[]> {
    const types = parse.parseDescribeStatementResults(await exchange(engine, [serialize.parse({ name, text }), serialize.describe({ type: 'S', name }), serialize.sync()]))
    prepared.set(name, types)
    return types
  }

  return async function query<Row> (statement: Statement, values: StatementValues): Promise<Row[]> {
    const bound = bindValues(statement, values)
    // Not between the statements of a transaction of Prisma's.
    return engine._runExclusiveTransaction(() => engine._runExclusiveQuery(async () => {
      const types = prepared.get(statement.name) ?? await prepare(statement)
      const answer = await exchange(engine, [
        serialize.bind({ statement: statement.name, values: bound.map((value, index) => toText(engine, value, types[index] ?? 0)) }),
        serialize.describe({ type: 'P' }),
        serialize.execute({}),
        serialize.sync()
      ])
      const [result] = parse.parseResults(answer, parsers)
      return (result?.rows ?? []) as Row[]
    }))
  }
}

async function exchange (engine: PGlite, messages: readonly Uint8Array[]) {
  const { messages: answer } = await engine.execProtocol(Buffer.concat(messages))
  return answer
}

function toText (engine: PGlite, value: unknown, type: number): string | null {
  if (value === null || value === undefined) return null
  return engine.serializers[type]?.(value) ?? String(value)
}
