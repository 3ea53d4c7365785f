import { parse, protocol, type PGlite } from '@electric-sql/pglite'
import { errorCode } from '../../config/error-code.ts'
import { columnParsers } from '../column-parsers.ts'
import { bindValues, type Statement, type StatementValues } from '../statement.ts'

interface Prepared {
  readonly text: string
  /** Of the parameters, by their oids. */
  readonly types: readonly number[]
}

const { serialize } = protocol
// The statement is unknown, or its columns are others than they were: it is prepared anew the next time.
const TO_PREPARE = new Set(['26000', '0A000'])

/**
 * Runs statements on an embedded engine, each parsed and planned once, as on a connection to PostgreSQL: the engine takes three times
 * as long to plan most of them as to run them. Its own `query` knows no names of statements.
 */
export function createPreparedQuery (engine: PGlite) {
  /** What the engine knows, by the names of the statements. */
  const prepared = new Map<string, Prepared>()
  // To be merged once: with those that differ as an option, the engine does it for each result.
  const parsers = { ...engine.parsers, ...columnParsers }

  return async function query<Row> (statement: Statement, values: StatementValues): Promise<Row[]> {
    const bound = bindValues(statement, values)
    // Not between the statements of a transaction of Prisma's.
    return engine._runExclusiveTransaction(() => engine._runExclusiveQuery(async () => {
      // Asked here: it may have been closed while the statement waited.
      if (!engine.ready) throw new Error('PGlite is closed')
      return await run<Row>(statement, bound)
    }))
  }

  async function run<Row> (statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    const { name } = statement
    const { types } = known(statement) ?? await prepare(statement)
    const answer = await exchange(engine, [
      serialize.bind({ statement: name, values: values.map((value, index) => toText(engine, value, types[index] ?? 0)) }),
      serialize.describe({ type: 'P' }),
      serialize.execute({}),
      serialize.sync()
    ]).catch((error: unknown) => {
      if (TO_PREPARE.has(String(errorCode(error)))) prepared.delete(name)
      throw error
    })
    const [result] = parse.parseResults(answer, parsers)
    return (result?.rows ?? []) as Row[]
  }

  function known ({ name, text }: Statement): Prepared | undefined {
    const found = prepared.get(name)
    if (found !== undefined && found.text !== text) throw new Error(`The statement ${name} stands for two texts`)
    return found
  }

  async function prepare ({ name, text }: Statement): Promise<Prepared> {
    const answer = await exchange(engine, [
      // One that could not be described has its name nevertheless.
      serialize.close({ type: 'S', name }),
      serialize.parse({ name, text }),
      serialize.describe({ type: 'S', name }),
      serialize.sync()
    ])
    const made = { text, types: parse.parseDescribeStatementResults(answer) }
    prepared.set(name, made)
    return made
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
