import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The licences of the packages that a bundle contains: most ask to go with every copy.
 *
 * @param {string} root the directory that has node_modules/
 * @param {string[]} inputs the files of the bundle, as esbuild names them
 * @returns {Promise<string>}
 */
export async function thirdPartyLicenses (root, inputs) {
  const directories = new Set(inputs.flatMap(file => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []))
  const texts = await Promise.all([...directories].sort().map(directory => licenseOf(join(root, directory))))
  return texts.join(`\n${'-'.repeat(80)}\n\n`)
}

async function licenseOf (directory) {
  const { name, version, license } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'))
  const files = (await readdir(directory)).filter(file => /^(?:licen[cs]e|notice)/i.test(file)).sort()
  const texts = await Promise.all(files.map(file => readFile(join(directory, file), 'utf8')))
  return [`${name} ${version} (${license})`, ...texts.map(text => text.trim())].join('\n\n') + '\n'
}
