import type { Language, Text } from '../model/text.ts';

/** The language of a `LANG`-like value (`fr_FR.UTF-8`): French where it says so, else English. */
export const languageOf = (lang: string | undefined): Language => (/^fr/i.test(lang ?? '') ? 'fr' : 'en');

export const say = (text: Text, language: Language): string => text[language];
