import neostandard, { plugins } from 'neostandard'
import testAsserts from './eslint-rules/test-asserts.js'

const typescript = plugins['typescript-eslint'].plugin

const disabledTest = 'A test that does not run proves nothing. Say when it cannot run: { skip: condition && reason }.'

export default [
  ...neostandard({
    ts: true,
    ignores: ['**/node_modules/', '**/dist/', '**/.build*/', '**/.tap/', 'src/generated/', 'coverage/']
  }),
  { rules: { '@stylistic/arrow-parens': ['error', 'as-needed'] } },
  {
    files: ['**/*.ts'],
    plugins: { '@typescript-eslint': typescript },
    rules: {
      'no-void': ['error', { allowAsStatement: true }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/ban-ts-comment': 'error'
    }
  },
  {
    files: ['src/**/*.ts', 'verifier/src/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }]
    }
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts'],
    plugins: { countersign: { rules: { 'test-asserts': testAsserts } } },
    rules: {
      'countersign/test-asserts': 'error',
      'no-restricted-syntax': ['error',
        { selector: 'CallExpression[callee.object.name=/^(t|tap)$/][callee.property.name="pass"]', message: 't.pass() cannot fail.' },
        { selector: 'CallExpression[callee.object.name=/^(t|tap)$/][callee.property.name=/^(only|todo|skip)$/]', message: disabledTest },
        { selector: 'CallExpression > ObjectExpression > Property[key.name=/^(only|todo|skip)$/][value.type="Literal"]', message: disabledTest }
      ]
    }
  }
]
