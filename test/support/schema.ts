/** One text for all that a test could change of a database's schema. */
export const SCHEMA = `SELECT md5(string_agg(part, ',' ORDER BY part)) AS schema FROM (
  SELECT concat(relname, relkind, relnatts) FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT conname FROM pg_constraint
  UNION ALL SELECT tgname FROM pg_trigger
  UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
) AS parts (part)`
