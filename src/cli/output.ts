/**
 * Prints the output of a command: JSON for programs, or lines for people.
 *
 * @param value what `--json` prints
 */
export function writeOutput (json: boolean, value: object, ...lines: readonly string[]): void {
  process.stdout.write(`${json ? JSON.stringify(value) : lines.join('\n')}\n`)
}
