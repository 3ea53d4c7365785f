import fc from 'fast-check'
import t from 'tap'
import { bindValues, statement } from '../../src/database/statement.ts'
import { openTestDatabase } from '../support/database.ts'

const compile = (sql: string) => {
  const { text, parameters } = statement('test', sql)
  return [text, parameters]
}

t.test('named parameters become positions in the order in which they first occur', async t => {
  t.strictSame(compile('SELECT :b, :a::uuid, (:b), ARRAY[:c,:a]'), ['SELECT $1, $2::uuid, ($1), ARRAY[$3,$2]', ['b', 'a', 'c']])
  t.strictSame(compile('INSERT INTO t VALUES (:userId::uuid,:user_id,:id2)'), ['INSERT INTO t VALUES ($1::uuid,$2,$3)', ['userId', 'user_id', 'id2']])
  t.strictSame(compile('SELECT 1'), ['SELECT 1', []])
})

t.test('nothing else becomes a parameter', async t => {
  for (const sql of [
    'SELECT x::text::int, now()::date, (x)::uuid, list[1]::text',
    'SELECT list[1:2], list[2:], list[:2], list[low:high], list[(low):high], list[low[1]:high]',
    "SELECT ':id', 'it''s :id', E'\\':id', e'\\\\', U&':id', '12:30'::time",
    'SELECT ":id", "a"":id" FROM t',
    'SELECT $$:id$$, $tag$ $$ :id $1 $tag$',
    'SELECT 1 -- :id\n, 2 /* :id \n $1 */',
    "SELECT a->'b', a->>'b', a #> '{b}', a @> '{\"b\":1}', a ? 'b', a ?| ARRAY['b'], a @? '$.b', a - 'b'",
    'SELECT f(a := 1, b => 2)',
    'SELECT a$1, a$b$c FROM t'
  ]) t.strictSame(compile(sql), [sql, []], sql)
})

t.test('a parameter is found after what it is not', async t => {
  t.strictSame(compile("SELECT '::', E'\\'', $$'$$, \"'\" /* ' */ -- '\n, :id"), ["SELECT '::', E'\\'', $$'$$, \"'\" /* ' */ -- '\n, $1", ['id']])
  t.strictSame(compile('SELECT list[:low:2], list[1::high], a @>:json::jsonb, b->:key, :a+:b, 1=:c, f(a := :d)'),
    ['SELECT list[$1:2], list[1::high], a @>$2::jsonb, b->$3, $4+$5, 1=$6, f(a := $7)', ['low', 'json', 'key', 'a', 'b', 'c', 'd']])
})

t.test('named and numbered parameters do not mix', async t => {
  t.throws(() => statement('test.mixed', 'SELECT :id, $1'), { name: 'TypeError', message: /test\.mixed.*\$1/ })
})

const names = fc.stringMatching(/^[a-z][a-zA-Z0-9_]{0,8}$/)
const words = fc.string({ maxLength: 12 })
const literals = fc.oneof(
  words.map(word => `'${word.replaceAll("'", "''")}'`),
  words.map(word => ` E'${word.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`),
  words.map(word => `"${word.replaceAll('"', '""')}"`),
  words.filter(word => !word.includes('$')).map(word => `$q$${word}$q$`),
  words.filter(word => !word.includes('*')).map(word => `/*${word}*/`),
  words.filter(word => !/\n/.test(word)).map(word => `--${word}\n`),
  fc.constantFrom('::text', 'list[1:2]', ' := ', '->>', '@>', 'now()')
)

t.test('whatever stands between them, the parameters are found, and the rest is left as it is', async t => {
  fc.assert(fc.property(fc.array(fc.tuple(literals, names), { maxLength: 6 }), pairs => {
    const { text, parameters } = statement('test', pairs.map(([literal, name]) => `${literal} :${name} `).join(''))
    t.strictSame(parameters, [...new Set(pairs.map(([, name]) => name))])
    t.equal(text, pairs.map(([literal, name]) => `${literal} $${parameters.indexOf(name) + 1} `).join(''))
  }))
})

t.test('values are taken by their names', async t => {
  const { parameters, ...numbered } = statement('test.values', 'SELECT :a, :b, :a')
  t.strictSame(bindValues({ ...numbered, parameters }, { b: null, a: 0, more: 'x' }), [0, null])
  t.throws(() => bindValues({ ...numbered, parameters }, { a: 1 }), { name: 'TypeError', message: /test\.values.*:b/ })
  t.throws(() => bindValues({ ...numbered, parameters }, { a: 1, b: undefined }), TypeError)
  t.strictSame(bindValues(numbered, [1, 2]), [1, 2], 'and by position where a statement has no names')
})

t.test('a database takes both forms', async t => {
  const { query } = await openTestDatabase(t)
  const named = statement('test.named', "SELECT :b::int - :a::int AS difference, :a::text || ':a' AS text")
  t.strictSame(await query(named, { a: 2, b: 5 }), [{ difference: 3, text: '2:a' }])
  t.strictSame(await query({ name: 'test.numbered', text: 'SELECT $2::int - $1::int AS difference' }, [2, 5]), [{ difference: 3 }])
  await t.rejects(query(named, { a: 2 }), TypeError)
})
