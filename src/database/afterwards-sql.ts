/**
 * SQL: a condition that is applied to the rows that an index has found, and finds none itself. To a plan it is met by half of the
 * rows, whatever it knows of them: so it takes rows in the order of their index until there are enough, where it could otherwise
 * expect too few, and read and sort all of them instead.
 */
export function afterwardsSql (condition: string): string {
  return `CASE WHEN ${condition} THEN true ELSE false END`
}
