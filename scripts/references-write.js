// Writes what is generated from the code: .env.example and docs/configuration.md from src/config/settings.ts,
// docs/errors.md from src/errors.ts. With --check it writes nothing, and fails if one of them is stale. Needs the build.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { settings } from '../dist/config/settings.js'
import { openIdSettings } from '../dist/config/provider-settings-table.js'
import { catalogue } from '../dist/errors.js'
import { OF_THE_HOST } from '../dist/plugin-options.js'

const root = join(import.meta.dirname, '..')
const groups = groupSettings()

const references = {
  '.env.example': environmentExample(),
  'docs/configuration.md': configuration(),
  'docs/errors.md': errors()
}

for (const [file, text] of Object.entries(references)) {
  const path = join(root, file)
  if (!process.argv.includes('--check')) {
    await writeFile(path, text)
  } else if (await readFile(path, 'utf8').catch(() => '') !== text) {
    console.error(`${file} is stale: run npm run config:reference`)
    process.exitCode = 1
  }
}

function groupSettings () {
  const byGroup = new Map()
  for (const [name, setting] of Object.entries(settings)) byGroup.set(setting.group, [...byGroup.get(setting.group) ?? [], [name, setting]])
  for (const setting of Object.values(openIdSettings)) byGroup.get(setting.group).push([undefined, setting])
  return byGroup
}

// What holds where a variable is not set. Words go before a value, for the value may be this machine's.
function whenUnset ({ default: value, defaultDescription }) {
  return defaultDescription ?? value
}

function environmentExample () {
  const sections = [...groups].map(([group, entries]) => {
    const lines = entries.map(([, setting]) => `# ${setting.description}\n# Unset: ${whenUnset(setting)}\n# ${setting.variable}=${setting.example}\n`)
    return `### ${group}\n\n${lines.join('\n')}`
  })
  return `# Generated from src/config/settings.ts by npm run config:reference.
# A copy named .env is read by: node --env-file=.env dist/bin/main.js serve
# In development every variable is optional. Production wants NODE_ENV, DATABASE_URL, COUNTERSIGN_SECRET and JWT_SECRET.

${sections.join('\n')}`
}

function configuration () {
  const sections = [...groups].map(([group, entries]) => {
    const rows = entries.map(([name, setting]) => {
      const { variable, description, example, default: value, defaultDescription } = setting
      const unset = defaultDescription ?? `\`${value}\``
      const option = name === undefined || OF_THE_HOST.includes(name) ? '' : `\`${name}\``
      return `| \`${variable}\` | ${option} | ${description} | ${unset} | \`${example}\` |`
    })
    return `## ${group}\n\n| variable | option of the plugin | what it says | unset | example |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`
  })
  return `# Configuration

<!-- Generated from src/config/settings.ts by npm run config:reference. -->

The service reads environment variables, once, at its start. If any of them is not usable it says so of all of them, with what
was wrong and an example, and does not start. An empty variable counts as unset.

- **Durations** are a whole number and one of \`s\`, \`m\`, \`h\`, \`d\`: \`10m\`, \`30d\`.
- **Secrets** have at least 32 bytes; \`countersign secret\` prints a good one. Each is a *ring*: several, separated by commas,
  of which the first signs and all verify. To rotate one, take three steps, each on every instance before the next: append the
  new secret, move it to the front, drop the old one.
  What is encrypted follows with \`countersign secret reencrypt\`, which counts what still needs the old one.
- **Providers** are configured by a client id and a secret, both or neither. Any OpenID provider beside Google has variables of
  its own: with \`OIDC_ACME_ISSUER\`, \`OIDC_ACME_CLIENT_ID\` and \`OIDC_ACME_CLIENT_SECRET\` it is known as \`acme\`. As an option of
  the plugin: \`openIdProviders: { acme: { issuer, clientId, clientSecret, … } }\`.
- **The plugin** takes the same settings as options, in camel case, and reads from the environment what is not given
  ([embedding](embedding.md)). A variable without an option is the host's to say.

${sections.join('\n')}`
}

function errors () {
  const rows = Object.entries(catalogue).map(([code, [status, title]]) => `| \`${code}\` | ${status} | ${title} |`)
  return `# Errors

<!-- Generated from src/errors.ts by npm run config:reference. -->

Every error is answered as \`application/problem+json\` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)):

\`\`\`json
{
  "type": "urn:countersign:problem:validation_failed",
  "title": "Validation failed",
  "status": 422,
  "code": "validation_failed",
  "errors": [{ "field": "email", "pointer": "#/email", "detail": "must match format \\"email\\"" }]
}
\`\`\`

Decide by \`code\`: it does not change. \`errors\` names the fields that are not valid, twenty at most, with a JSON Pointer to each.
\`detail\` and the titles are for people, and may be worded better one day. What caused an error is never in the answer: it is in
the log, under the id that a 5xx of the service has in \`X-Request-Id\`. A 401 says in \`WWW-Authenticate\` how to
authenticate; a 503 says in \`Retry-After\` when to come back, in seconds.

| code | status | title |
| --- | --- | --- |
${rows.join('\n')}
`
}
