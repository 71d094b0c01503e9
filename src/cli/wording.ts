import type { Language, Text } from '../model/text.ts';
import { say } from '../runtime/language.ts';
import { both } from './io.ts';

const STAGES: Readonly<Record<string, Text>> = {
  store: both('store', 'stockage'),
  port: both('serial port', 'port série'),
  concentrator: both('concentrator', 'concentrateur'),
  broker: both('broker', 'serveur'),
  stream: both('stream', 'flux d’envoi'),
  editor: both('editor', 'éditeur'),
};
const STATES: Readonly<Record<string, Text>> = {
  ok: both('ok', 'ok'),
  waiting: both('waits', 'attend'),
  failed: both('FAULT', 'FAUTE'),
};

/** Name of a stage of the status for people. */
export const stageText = (stage: string): Text => STAGES[stage] ?? both(stage, stage);

export const stateText = (state: string): Text => STATES[state] ?? both(state, state);

/** A number with one decimal at most, in the way of the language. */
export const numberText = (value: number, language: Language): string =>
  new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value);

/** "12.3 MB", "12,3 Mo", "83.4 GB": decimal units, as disks are sold. */
export function sizeText(bytes: number, language: Language): string {
  const isBig = bytes >= 1e9;
  const unit = say(isBig ? both('GB', 'Go') : both('MB', 'Mo'), language);
  return `${numberText(bytes / (isBig ? 1e9 : 1e6), language)} ${unit}`;
}

/** How long the disk lasts, in words. */
export function roomText(disk: { readonly growthBytesPerDay: number | null; readonly daysLeft: number | null }): Text {
  if (disk.growthBytesPerDay === null) return both('rate not known yet', 'rythme encore inconnu');
  if (disk.daysLeft === null) return both('the store does not grow', 'le stockage ne grossit pas');
  const days = Math.floor(disk.daysLeft);
  if (days > 3650) return both('more than 10 years at this rate', 'plus de 10 ans à ce rythme');
  return days < 2
    ? both(`${days} day at this rate`, `${days} jour à ce rythme`)
    : both(`${days} days at this rate`, `${days} jours à ce rythme`);
}

/** What `GET /v1/status` says of the clock, as far as commands read it. */
export interface ClockAnswer {
  readonly now: string;
  readonly synchronized: boolean | null;
  readonly quality: 'set' | 'estimated';
  readonly source: string;
  readonly heldRecords: number;
}

const CLOCKS: Readonly<Record<string, Text>> = {
  'time-service': both('set by a time service', 'réglée par le réseau'),
  gps: both('set by the GPS of a concentrator', 'réglée par le GPS d’un concentrateur'),
  phone: both('set by a phone', 'réglée par un téléphone'),
};

/** Who keeps the clock, in words; a clock that nobody set, with what waits for it. */
export function clockText({ quality, source, heldRecords }: ClockAnswer): Text {
  if (quality === 'estimated')
    return both(
      `NOT SET YET: ${heldRecords} records wait for it`,
      `PAS ENCORE RÉGLÉE : ${heldRecords} enregistrements l'attendent`,
    );
  return CLOCKS[source] ?? both('no time service that we know', 'pas de service de temps connu');
}
