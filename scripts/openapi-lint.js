// Holds docs/openapi.json to Redocly's recommended rules; a warning fails as well. A test keeps that file equal to
// what the service serves, so nothing needs to run here.
import { join } from 'node:path'
import { createConfig, formatProblems, lint } from '@redocly/openapi-core'

const document = process.argv[2] ?? join(import.meta.dirname, '../docs/openapi.json')

try {
  // An operation that sends a browser elsewhere answers 302, and nothing of the 200s.
  const config = await createConfig({ extends: ['recommended'], rules: { 'operation-2xx-response': 'off' } })
  const problems = await lint({ ref: document, config })
  formatProblems(problems, { totals: count(problems), format: 'stylish', cwd: process.cwd() })
  process.exitCode = problems.length > 0 ? 1 : 0
} catch (error) {
  console.error(`The OpenAPI document could not be read: ${error.message}`)
  process.exitCode = 1
}

function count (problems) {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  return { errors, warnings: problems.length - errors, ignored: 0 }
}
