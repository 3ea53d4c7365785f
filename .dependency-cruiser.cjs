const { bin, exports: main, scripts } = require('./package.json')
const { exports: verifier } = require('./verifier/package.json')

// The floors of the house, from the ground up. The routes of sessions/ stand a floor above the rest of it.
const ROUTES = '/[a-z-]*routes?'
const FLOORS = [
  'config|errors|messages|permissions|version',
  'database|http',
  'tokens|revocation|passwords|limits|mail|outbox|audit|one-time-tokens',
  `sessions(?!${ROUTES})|mail-requests`,
  `accounts|registration|verification|code-login|recovery|email-change|sessions(?=${ROUTES})|providers|admin|oauth`,
  'pages',
  'app|routes|index|plugin-options|request-user',
  'server|cli'
]
// Development dependencies that users get all the same: scripts/bundle.js puts them into what is shipped.
const BUNDLED = ['@fastify/(cors|swagger|type-provider-typebox)', '@prisma/(adapter-pg|client)', 'commander', 'helmet', 'pglite-prisma-adapter', 'pino']
const rooms = names => `^src/(${names})(/|[.]ts$)`

// Where reading starts: what package.json exports, installs as a command, or runs.
const ENTRIES = [
  ...built(JSON.stringify([main, bin, scripts])),
  ...built(JSON.stringify(verifier)).map(file => `verifier/${file}`)
].map(file => `^${file.replace('dist/bin/', 'dist/cli/').replace('dist/plugin/', 'dist/').replace('dist/', 'src/').replace(/js$/, 'ts$')}`)

function built (text) {
  return text.match(/(?<!\w)dist\/[\w/.-]+?(?<!\.d)\.js/g) ?? []
}

// Types count in every rule: what two floors share belongs on the lower one.
module.exports = {
  forbidden: [
    ...FLOORS.slice(0, -1).map((floor, height) => ({
      name: 'no-climbing',
      comment: 'A file imports only from floors below its own (CONTRIBUTING.md).',
      severity: 'error',
      from: { path: rooms(floor) },
      to: { path: rooms(FLOORS.slice(height + 1).join('|')) }
    })),
    ...FLOORS.slice(1, -2).map(floor => ({
      name: 'no-neighbours',
      comment: 'Rooms on one floor do not import each other: app.ts hands one what it needs of the other.',
      severity: 'error',
      from: { path: rooms(floor) },
      to: { path: rooms(floor), pathNot: '^src/$1(/|[.]ts$)' }
    })),
    {
      name: 'no-homeless-file',
      comment: 'This file is on no floor: give it a room, or write its room into FLOORS.',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: ['^src/generated/', rooms(FLOORS.join('|'))] }
    },
    {
      name: 'only-stores-touch-prisma',
      comment: 'Queries live in database/ and in files named store.ts or *-store.ts.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/database/', '^src/generated/', '(/|-)store[.]ts$'] },
      to: { path: ['^src/generated/', '(^|/)node_modules/(@prisma|pg|pg-[a-z-]+|@types/pg|@electric-sql|pglite-[a-z-]+)/'] }
    },
    {
      name: 'verifier-stands-alone',
      comment: 'Other services install the verifier: it imports nothing of the service.',
      severity: 'error',
      from: { path: '^verifier/src/' },
      to: { path: '^(src|dist|test|bench)/' }
    },
    {
      name: 'verifier-by-its-name',
      comment: "Import 'countersign-verifier', as every other service does.",
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^verifier/', dependencyTypesNot: ['aliased-workspace'] }
    },
    {
      name: 'no-cycle',
      severity: 'error',
      from: { pathNot: '^src/generated/' },
      to: { circular: true }
    },
    {
      name: 'no-orphan',
      comment: 'Nothing that starts from package.json reaches this file.',
      severity: 'error',
      from: { path: ENTRIES },
      to: { path: '^(src|verifier/src)/', pathNot: ['^src/generated/', ...ENTRIES], reachable: false }
    },
    {
      name: 'no-dev-dependency',
      comment: 'A production install does not have it, and the bundles (scripts/bundle.js) should not.',
      severity: 'error',
      from: { path: '^(src|verifier/src)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-optional'], dependencyTypesNot: ['npm-peer'], pathNot: `node_modules/(@types|${BUNDLED.join('|')})/` }
    },
    {
      name: 'no-undeclared-dependency',
      comment: 'Not in the package.json of its package.',
      severity: 'error',
      from: { path: '^(src|verifier/src)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] }
    },
    {
      name: 'no-unresolvable',
      comment: 'Misspelt, or not built: npm run build.',
      severity: 'error',
      from: { path: '^(src|verifier/src)/' },
      to: { couldNotResolve: true }
    }
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^verifier/dist/'] },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] }
  }
}
