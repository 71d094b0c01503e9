import { loraStatus, ruleStatus, sendStatus, serialStatus, type SendFacts } from '../health/node-status.ts';
import type { LoraSourceSettings, SerialSourceSettings } from '../model/plan.ts';
import type { NodeStatus } from '../model/status.ts';
import type { Clock } from '../runtime/clock.ts';
import { selectedDevices } from './lora-registry.ts';
import type { PlanRunner } from './plan-runner.ts';

const DAY_MS = 86_400_000;
/** A device is fresh when it was heard within this many of its intervals. */
const FRESH_INTERVALS = 3;

/** The status of each node of the running plan, as the editor shows it. */
export function planNodeStatuses(runner: PlanRunner, clock: Clock): readonly NodeStatus[] {
  const { plan } = runner;
  if (plan === null) return [];
  return [
    ...plan.serialSources.map((source) => ofSerial(runner, source, clock)),
    ...plan.loraSources.map((source) => ofLora(runner, source, clock)),
    ...plan.rules.map((rule) => ruleStatus({ node: rule.nodeId, last: runner.lastAggregate(rule.nodeId) })),
    ...runner.forwarding.outboxes().map(({ settings, sender }) => {
      const { state, backlogRecords } = sender.status();
      const waitingRecords = backlogRecords;
      return sendStatus({
        node: settings.nodeId,
        state: SEND_STATE[state] ?? 'online',
        offlineForMs: clock.nowMs() - runner.forwarding.offlineSince(settings.broker, clock.nowMs()),
        waitingRecords,
        maxRecords: settings.maxRecords,
      });
    }),
  ];
}

const SEND_STATE: Readonly<Record<string, SendFacts['state']>> = {
  offline: 'offline',
  'no receiver': 'no-receiver',
  refused: 'refused',
};

function ofSerial(runner: PlanRunner, source: SerialSourceSettings, clock: Clock): NodeStatus {
  const line = runner.lineOf(source.port);
  return serialStatus({
    node: source.nodeId,
    port: line?.state.state ?? 'opening',
    activity: runner.acceptance.activityOf(source.nodeId),
    silentAfterMs: source.silentAfterMs,
    nowMonotonicMs: clock.monotonicMs(),
    openedMs: line?.openedMs ?? clock.monotonicMs(),
  });
}

function ofLora(runner: PlanRunner, source: LoraSourceSettings, clock: Clock): NodeStatus {
  const state = runner.lora.stateOf(source.concentrator);
  const devices = selectedDevices(runner.lora.view, source, clock.nowMs());
  const fresh = devices.filter((device) => {
    const heardMs = runner.lora.lastHeardMs(device.id);
    const withinMs = device.intervalMs === null ? DAY_MS : FRESH_INTERVALS * device.intervalMs;
    return heardMs !== undefined && clock.monotonicMs() - heardMs <= withinMs;
  });
  return loraStatus({
    node: source.nodeId,
    isBound: state !== undefined && state.address !== null,
    concentratorsHeard: state?.concentrators.length ?? 0,
    devicesSelected: devices.length,
    devicesFresh: fresh.length,
  });
}
