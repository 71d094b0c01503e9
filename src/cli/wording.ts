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

interface Disk {
  readonly limitBytes: number | null;
  readonly outageDays: number | null;
}

/** How long an outage may last before something is lost of it, in words. */
export function roomText({ limitBytes, outageDays }: Disk): Text {
  if (outageDays === null) return both('rate not known yet', 'rythme encore inconnu');
  const then =
    limitBytes === null
      ? both('then new data is refused', 'ensuite les nouvelles données sont refusées')
      : both('then the oldest data loses resolution', 'ensuite les plus anciennes données perdent en résolution');
  const days = Math.floor(outageDays);
  if (days > 3650)
    return both(
      'room for more than 10 years of outage at this rate',
      'place pour plus de 10 ans de coupure à ce rythme',
    );
  const room =
    days < 2
      ? both(`room for ${days} day of outage at this rate`, `place pour ${days} jour de coupure à ce rythme`)
      : both(`room for ${days} days of outage at this rate`, `place pour ${days} jours de coupure à ce rythme`);
  return both(`${room.en}, ${then.en}`, `${room.fr}, ${then.fr}`);
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
