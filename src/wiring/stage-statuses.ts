import type { StageStatus } from '../api/gateway-port.ts';
import { ERROR_CODES } from '../runtime/error-codes.ts';
import type { Text } from '../model/text.ts';
import type { PlanRunner } from './plan-runner.ts';

const OK: Text = { en: 'works', fr: 'fonctionne' };
const OPENING: Text = { en: 'is being opened', fr: 's’ouvre' };
const CONNECTING: Text = { en: 'is being connected', fr: 'connexion en cours' };

/** Each port, concentrator, broker and stream of the running plan, with the store's own stage first. */
export function planStages(runner: PlanRunner, store: StageStatus): readonly StageStatus[] {
  return [
    store,
    ...portStages(runner),
    ...concentratorStages(runner),
    ...brokerStages(runner),
    ...streamStages(runner),
  ];
}

const portStages = (runner: PlanRunner): readonly StageStatus[] =>
  (runner.plan?.ports ?? []).map((port) => {
    const state = runner.lineOf(port.nodeId)?.state;
    const isOpen = state?.state === 'open';
    const code = state?.code ?? null;
    const hint = code === null ? OPENING : ERROR_CODES[code].hint;
    return {
      stage: 'port',
      id: port.nodeId,
      name: port.name || port.path,
      state: isOpen ? 'ok' : code === null ? 'waiting' : 'failed',
      text: isOpen ? OK : hint,
      facts: { path: port.path, state: state?.state ?? 'opening', detail: state?.detail ?? '' },
    };
  });

const concentratorStages = (runner: PlanRunner): readonly StageStatus[] =>
  (runner.plan?.concentrators ?? []).map((concentrator) => {
    const state = runner.lora.stateOf(concentrator.nodeId);
    const isBound = state !== undefined && state.address !== null;
    const heard = state?.concentrators.length ?? 0;
    const silent: Text = {
      en: 'no packet forwarder speaks to this port',
      fr: 'aucun concentrateur ne parle à ce port',
    };
    return {
      stage: 'concentrator',
      id: concentrator.nodeId,
      name: concentrator.name || `${concentrator.bind}:${concentrator.port}`,
      state: !isBound ? 'failed' : heard === 0 ? 'waiting' : 'ok',
      text: !isBound ? ERROR_CODES.LORA_BIND_FAILED.hint : heard === 0 ? silent : OK,
      facts: { port: runner.lora.portOf(concentrator.nodeId), heard },
    };
  });

const brokerStages = (runner: PlanRunner): readonly StageStatus[] =>
  runner.forwarding.upstreams().map(({ settings, upstream }) => {
    const { state, error, inFlight } = upstream.status();
    return {
      stage: 'broker',
      id: settings.nodeId,
      name: settings.name || settings.url,
      state: state === 'online' ? 'ok' : error === null ? 'waiting' : 'failed',
      text: state === 'online' ? OK : error === null ? CONNECTING : error.text,
      facts: { url: settings.url, state, inFlight, error: error?.code ?? null, detail: error?.message ?? null },
    };
  });

const STREAM_TEXT: Readonly<Record<string, Text>> = {
  starting: { en: 'starts', fr: 'démarre' },
  offline: { en: 'waits for its broker; nothing is lost', fr: 'attend son serveur ; rien n’est perdu' },
  sending: { en: 'up to date', fr: 'à jour' },
  'catching up': { en: 'sends its backlog', fr: 'rattrape son retard' },
  'no receiver': { en: 'the broker has no subscriber for it; kept', fr: 'le serveur n’a aucun abonné ; conservé' },
  refused: { en: 'the broker refuses a batch; kept, tried again', fr: 'le serveur refuse un lot ; conservé, réessayé' },
  'store fault': { en: 'the store cannot be used', fr: 'le stockage est inutilisable' },
};
const FAILED_STREAM_STATES: ReadonlySet<string> = new Set(['refused', 'no receiver', 'store fault']);

const streamStages = (runner: PlanRunner): readonly StageStatus[] =>
  runner.forwarding.outboxes().map(({ settings, sender }) => {
    const status = sender.status();
    return {
      stage: 'stream',
      id: settings.stream,
      name: settings.name || settings.stream,
      state: FAILED_STREAM_STATES.has(status.state) ? 'failed' : status.state === 'sending' ? 'ok' : 'waiting',
      text: (status.state === 'refused' ? status.refusal?.text : undefined) ??
        STREAM_TEXT[status.state] ?? { en: status.state, fr: status.state },
      facts: {
        state: status.state,
        lastSeq: status.lastSeq,
        unacknowledged: status.unacknowledged,
        backlogRecords: status.backlogRecords,
        refusal: status.refusal?.reasonCode ?? null,
        parkedRecords: status.parkedRecords,
      },
    };
  });
