// What a test may ask of its `t` without proving anything.
const passive = new Set(`
  after afterEach bailout before beforeEach capture captureFn chdir comment createMock end fixture intercept mockAll
  mockImport mockRequire pass plan pragma setTimeout skip teardown testdir testdirName timeout todo unmock waitOn
`.trim().split(/\s+/))

/**
 * tap passes a test that asserts nothing; this rule does not. Somewhere in the callback its `t` must be asked for an
 * assertion or a subtest, or be handed to a function that is called for its effect: `await refuses(t, …)`. A call
 * whose answer is kept, `const app = await startApp(t)`, builds the test's world and proves nothing. An `assert`
 * that throws counts as well.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export default {
  meta: {
    type: 'problem',
    schema: [],
    messages: { none: 'This test asserts nothing: it passes whatever the code does.' }
  },
  create (context) {
    const { sourceCode } = context
    const open = []
    const found = () => { for (const test of open) test.asserts = true }

    return {
      CallExpression (node) {
        const callback = testCallback(node)
        if (callback) open.push({ node, asserts: proves(callback, sourceCode) })
        else if (/^assert|^fc\.assert/.test(sourceCode.getText(node.callee))) found()
      },
      'CallExpression:exit' (node) {
        if (open.at(-1)?.node !== node) return
        if (!open.pop().asserts) context.report({ node: node.callee, messageId: 'none' })
      }
    }
  }
}

/** The inline function of `t.test('…', t => …)` or `test('…', t => …)`. */
function testCallback ({ callee, arguments: args }) {
  const name = callee.property?.name ?? callee.name
  const last = args.at(-1)
  return name === 'test' && args.length > 1 && /Function/.test(last.type) ? last : undefined
}

function proves (callback, sourceCode) {
  const t = callback.params[0]
  const variable = sourceCode.getDeclaredVariables(callback).find(({ identifiers }) => identifiers[0] === t)
  return variable?.references.some(({ identifier }) => isProof(identifier)) ?? false
}

function isProof ({ parent }) {
  if (parent.type === 'MemberExpression') return isCallee(parent) && !passive.has(parent.property.name)
  // Handed on as `f(t)` or `f({ t })`.
  const call = parent.type === 'Property' ? parent.parent.parent : parent
  return call.type === 'CallExpression' && !isKept(call)
}

const isCallee = node => node.parent.type === 'CallExpression' && node.parent.callee === node

function isKept (node) {
  while (!/Statement$|Function/.test(node.type)) {
    if (/^(VariableDeclarator|AssignmentExpression)$/.test(node.type)) return true
    node = node.parent
  }
  return false
}
