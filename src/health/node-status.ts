import type { NodeStatus } from '../model/status.ts';
import type { Text } from '../model/text.ts';

/** Node-RED shows about 20 characters under a node. */
const MAX_TEXT = 20;

const status = (node: string, fill: NodeStatus['fill'], shape: NodeStatus['shape'], text: Text): NodeStatus => ({
  node,
  fill,
  shape,
  text: { en: text.en.slice(0, MAX_TEXT), fr: text.fr.slice(0, MAX_TEXT) },
});

/** A number as a technician reads it: at most one decimal, decimal comma in French. */
export function numberText(value: number): Text {
  const en = Number.isInteger(value) ? String(value) : value.toFixed(1);
  return { en, fr: en.replace('.', ',') };
}

/** "45 s", "12 min", "3 h", "5 d": the largest unit that fits. */
export function elapsedText(ms: number): Text {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return { en: `${seconds} s`, fr: `${seconds} s` };
  if (seconds < 7200) return { en: `${Math.floor(seconds / 60)} min`, fr: `${Math.floor(seconds / 60)} min` };
  if (seconds < 172_800) return { en: `${Math.floor(seconds / 3600)} h`, fr: `${Math.floor(seconds / 3600)} h` };
  return { en: `${Math.floor(seconds / 86_400)} d`, fr: `${Math.floor(seconds / 86_400)} j` };
}

/** What a source node did last; the wiring keeps one per node. */
export interface SourceActivity {
  /** Monotonic instants; null before the first. */
  readonly lastAcceptedMs: number | null;
  readonly lastValue: number | null;
  readonly lastUnit: string;
  readonly accepted: number;
  readonly rejected: number;
  /** Rejections since the last accepted sample. */
  readonly rejectedInARow: number;
}

export interface SerialFacts {
  readonly node: string;
  readonly port: 'opening' | 'open' | 'absent' | 'busy' | 'denied';
  readonly activity: SourceActivity;
  readonly silentAfterMs: number | null;
  readonly nowMonotonicMs: number;
  /** When the port was opened; silence is counted from there until the first sample. */
  readonly openedMs: number;
}

const PORT_TEXT: Readonly<Record<Exclude<SerialFacts['port'], 'open'>, Text>> = {
  opening: { en: 'opening port', fr: 'ouverture du port' },
  absent: { en: 'no port', fr: 'port absent' },
  busy: { en: 'port in use', fr: 'port occupé' },
  denied: { en: 'port refused', fr: 'port refusé' },
};

export function serialStatus(facts: SerialFacts): NodeStatus {
  const { node, port, activity } = facts;
  if (port === 'opening') return status(node, 'yellow', 'ring', PORT_TEXT.opening);
  if (port !== 'open') return status(node, 'red', 'ring', PORT_TEXT[port]);
  const silentMs = facts.nowMonotonicMs - (activity.lastAcceptedMs ?? facts.openedMs);
  const isSilent = facts.silentAfterMs !== null && silentMs > facts.silentAfterMs;
  if (activity.rejectedInARow > 0 && (isSilent || activity.lastAcceptedMs === null)) {
    return status(node, 'red', 'ring', {
      en: `${activity.rejectedInARow} bad lines`,
      fr: `${activity.rejectedInARow} lignes fausses`,
    });
  }
  if (isSilent) {
    const elapsed = elapsedText(silentMs);
    return status(node, 'yellow', 'ring', { en: `silent ${elapsed.en}`, fr: `silencieux ${elapsed.fr}` });
  }
  if (activity.lastAcceptedMs === null) return status(node, 'yellow', 'dot', { en: 'waiting', fr: 'en attente' });
  return status(node, 'green', 'dot', valueText(activity.lastValue, activity.lastUnit));
}

function valueText(value: number | null, unit: string): Text {
  if (value === null) return { en: 'value missing', fr: 'valeur manquante' };
  const text = numberText(value);
  const suffix = unit === '1' ? '' : ` ${unit}`;
  return { en: `${text.en}${suffix}`, fr: `${text.fr}${suffix}` };
}

export interface LoraFacts {
  readonly node: string;
  readonly isBound: boolean;
  readonly concentratorsHeard: number;
  readonly devicesSelected: number;
  /** Of those, heard within three times their interval (24 h where it is unknown). */
  readonly devicesFresh: number;
}

export function loraStatus(facts: LoraFacts): NodeStatus {
  const { node, devicesSelected: selected, devicesFresh: fresh } = facts;
  if (!facts.isBound) return status(node, 'red', 'ring', { en: 'UDP port in use', fr: 'port UDP occupé' });
  if (facts.concentratorsHeard === 0)
    return status(node, 'red', 'ring', { en: 'no concentrator', fr: 'concentrateur muet' });
  if (selected === 0) return status(node, 'yellow', 'ring', { en: 'no device', fr: 'aucun appareil' });
  return status(node, fresh === selected ? 'green' : 'yellow', 'dot', {
    en: `${fresh} of ${selected}`,
    fr: `${fresh} sur ${selected}`,
  });
}

export interface RuleFacts {
  readonly node: string;
  /** Main value of the last aggregate, with its coverage 0..1; null before the first. */
  readonly last: { readonly value: number | null; readonly unit: string; readonly coverage: number | null } | null;
}

export function ruleStatus({ node, last }: RuleFacts): NodeStatus {
  if (last === null) return status(node, 'grey', 'dot', { en: 'first window open', fr: 'première fenêtre' });
  const value = valueText(last.value, last.unit);
  const coverage = last.coverage === null ? '' : ` · ${Math.round(last.coverage * 100)} %`;
  const fill = last.value === null || (last.coverage ?? 1) < 0.75 ? 'yellow' : 'green';
  return status(node, fill, 'dot', { en: value.en + coverage, fr: value.fr + coverage });
}

export interface SendFacts {
  readonly node: string;
  readonly state: 'offline' | 'online' | 'no-receiver' | 'refused';
  readonly offlineForMs: number;
  readonly waitingRecords: number;
  readonly maxRecords: number;
}

export function sendStatus(facts: SendFacts): NodeStatus {
  const { node, waitingRecords: waiting } = facts;
  if (facts.state === 'refused')
    return status(node, 'red', 'ring', { en: 'refused by broker', fr: 'refusé par serveur' });
  if (facts.state === 'no-receiver')
    return status(node, 'yellow', 'ring', { en: 'no receiver', fr: 'aucun destinataire' });
  if (facts.state === 'offline') {
    const elapsed = elapsedText(facts.offlineForMs);
    return status(node, 'red', 'ring', { en: `offline ${elapsed.en}`, fr: `hors ligne ${elapsed.fr}` });
  }
  if (waiting > facts.maxRecords)
    return status(node, 'blue', 'dot', { en: `${waiting} waiting`, fr: `${waiting} en attente` });
  return status(node, 'green', 'dot', { en: 'up to date', fr: 'à jour' });
}
