import { readFile } from 'node:fs/promises'
import t from 'tap'

t.test('the table and the chart of the benchmark are of its last results', async t => {
  const { makeReport } = await import(new URL('../../../bench/report.js', import.meta.url).href) as { makeReport (): Array<[file: string, text: string]> }
  const made = makeReport()
  t.equal(made.length, 2)
  for (const [file, text] of made) t.equal(await readFile(file, 'utf8'), text, `${file}: node bench/report.js`)
})
