// Writes what is generated from the code: .env.example and docs/configuration.md from src/config/settings.ts,
// docs/errors.md from src/errors.ts. With --check it writes nothing, and fails if one of them is stale. Needs the build.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { settings } from '../dist/config/settings.js'
import { openIdSettings } from '../dist/config/provider-settings-table.js'
import { catalogue } from '../dist/errors.js'
import { HOST_SETTINGS } from '../dist/plugin-options.js'

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

// The default of a variable. A description takes precedence, as the value may depend on the machine.
function defaultOf ({ default: value, defaultDescription }) {
  return defaultDescription ?? value
}

function environmentExample () {
  const sections = [...groups].map(([group, entries]) => {
    const lines = entries.map(([, setting]) => `# ${setting.description}\n# Default: ${defaultOf(setting)}\n# ${setting.variable}=${setting.example}\n`)
    return `### ${group}\n\n${lines.join('\n')}`
  })
  return `# Generated from src/config/settings.ts by npm run config:reference.
# A copy named .env is read by: node --env-file=.env dist/bin/main.js serve
# In development every variable is optional. Production needs NODE_ENV, DATABASE_URL, COUNTERSIGN_SECRET and JWT_SECRET.

${sections.join('\n')}`
}

function configuration () {
  const sections = [...groups].map(([group, entries]) => {
    const rows = entries.map(([name, setting]) => {
      const { variable, description, example, default: value, defaultDescription } = setting
      const unset = defaultDescription ?? `\`${value}\``
      const option = name === undefined || HOST_SETTINGS.includes(name) ? '' : `\`${name}\``
      return `| \`${variable}\` | ${option} | ${description} | ${unset} | \`${example}\` |`
    })
    return `## ${group}\n\n| variable | plugin option | meaning | default | example |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`
  })
  return `# Configuration

<!-- Generated from src/config/settings.ts by npm run config:reference. -->

The service reads environment variables once, at its start. It does not start with an invalid one: it reports all of them, each
with the reason and an example. An empty variable counts as unset.

- **Durations** are a whole number and one of \`s\`, \`m\`, \`h\`, \`d\`: \`10m\`, \`30d\`.
- **Secrets** have at least 32 bytes; \`countersign secret\` prints one. Each is a *ring*: several, separated by commas,
  of which the first signs and all verify. To rotate one, take three steps, each on every instance before the next: append the
  new secret, move it to the front, remove the old one.
  Encrypted data follows with \`countersign secret reencrypt\`, which counts what still needs the old one.
- **Providers** are configured by a client id and a secret, both or neither. Any OpenID provider beside Google has variables of
  its own: with \`OIDC_ACME_ISSUER\`, \`OIDC_ACME_CLIENT_ID\` and \`OIDC_ACME_CLIENT_SECRET\` its name is \`acme\`. As an option of
  the plugin: \`openIdProviders: { acme: { issuer, clientId, clientSecret, … } }\`.
- **The plugin** takes the same settings as options, in camel case. A setting without an option is read from \`process.env\`, or from
  what the option \`environment\` says ([embedding](embedding.md#options)). Variables without an option are the host's to decide.

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

Decide by \`code\`, which does not change. \`errors\` lists the invalid fields, at most twenty, with a JSON Pointer to each.
\`detail\` and \`title\` are for people, and may change. The cause of an error is never in the response: it is in the log, under
the id that every 5xx of the service has in \`X-Request-Id\`. A 401 has a challenge in \`WWW-Authenticate\`; a 503 has the seconds
to wait in \`Retry-After\`.

| code | status | title |
| --- | --- | --- |
${rows.join('\n')}
`
}
