import pg from 'pg'

/** A statement as it goes to the database. */
export interface Sent { name: string, text: string, values: readonly unknown[] }

/** What a statement did. */
export interface Explained {
  /** Tables that were, or would be, read from beginning to end. */
  scanned: string[]
  /** The most rows that one part of the plan took from a table or an index, those included that it then left out. */
  rows: number
  /** Pages of 8 KB. */
  pages: number
  ms: number
  /** The nodes of the plan, for whoever reads the failure. */
  plan: string
}

interface Node {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows'?: number
  'Actual Loops'?: number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  'Shared Hit Blocks'?: number
  'Shared Read Blocks'?: number
  Plans?: Node[]
}

type Explanation = [{ Plan: Node, 'Execution Time'?: number }]

/** How a prepared statement is planned: anew for its values, or once for all. */
export type PlanMode = 'force_custom_plan' | 'force_generic_plan'

/** Prepares a statement, as the service does, runs it in a transaction that is rolled back, and tells how it was run. */
export async function explain (client: pg.Client, { text, values }: Sent, mode: PlanMode): Promise<Explained> {
  await client.query(`BEGIN; SET LOCAL plan_cache_mode = ${mode}`)
  try {
    await client.query({ text: `PREPARE explained AS ${text}` })
    const literals = values.map(literalOf)
    const { rows: [row] } = await client.query<{ 'QUERY PLAN': Explanation }>(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained${literals.length === 0 ? '' : `(${literals.join(', ')})`}`)
    if (row === undefined) throw new Error('EXPLAIN returned no row')
    const [{ Plan: top, 'Execution Time': ms = NaN }] = row['QUERY PLAN']
    const nodes = [...nodesOf(top)]
    return {
      scanned: nodes.filter(node => node['Node Type'] === 'Seq Scan').map(node => node['Relation Name'] ?? ''),
      rows: Math.max(0, ...nodes.filter(node => /Scan$/.test(node['Node Type']) && (node['Relation Name'] ?? node['Index Name']) !== undefined).map(readBy)),
      pages: (top['Shared Hit Blocks'] ?? 0) + (top['Shared Read Blocks'] ?? 0),
      ms,
      plan: nodes.map(node => `${node['Node Type']}${node['Relation Name'] === undefined ? '' : ` on ${node['Relation Name']}`}${node['Index Name'] === undefined ? '' : ` by ${node['Index Name']}`} (${readBy(node)})`).join(' < ')
    }
  } finally {
    await client.query('ROLLBACK')
    await client.query('DEALLOCATE ALL')
  }
}

function readBy (node: Node): number {
  return ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)) * (node['Actual Loops'] ?? 0)
}

function * nodesOf (node: Node): Generator<Node> {
  yield node
  for (const each of node.Plans ?? []) yield * nodesOf(each)
}

// As text, of which the server makes what the parameter is: so does the driver.
function literalOf (value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  if (value instanceof Uint8Array) return `'\\x${Buffer.from(value).toString('hex')}'`
  if (value instanceof Date) return pg.escapeLiteral(value.toISOString())
  if (Array.isArray(value)) return pg.escapeLiteral(`{${value.map(each => typeof each === 'string' ? JSON.stringify(each) : String(each)).join(',')}}`)
  return pg.escapeLiteral(typeof value === 'object' ? JSON.stringify(value) : String(value))
}
