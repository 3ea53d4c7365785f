import { de } from './de.ts'
import { en } from './en.ts'
import { fr } from './fr.ts'
import type { Locale } from './locales.ts'
import type { Shape } from './shape.ts'

/** Every text that people read, in each language. */
export const catalogue: Readonly<Record<Locale, Shape<typeof en>>> = { en, de, fr }
