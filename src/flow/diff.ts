import { isDeepStrictEqual } from 'node:util';
import type { Plan } from '../model/plan.ts';

/** What becomes of the parts of one kind; each id in exactly one list, in the order of the plan that holds it. */
export interface PartDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
}

/** The difference of two plans: what did not change is not touched. Ids are node ids, of streams the stream ids. */
export interface PlanDiff {
  readonly ports: PartDiff;
  readonly concentrators: PartDiff;
  readonly serialSources: PartDiff;
  readonly loraSources: PartDiff;
  readonly rules: PartDiff;
  readonly brokers: PartDiff;
  readonly streams: PartDiff;
  readonly gatewayChanged: boolean;
  /** Routes, injections or taps: where records go, without any part being touched. */
  readonly wiringChanged: boolean;
}

function diffParts<Part>(before: readonly Part[], after: readonly Part[], idOf: (part: Part) => string): PartDiff {
  const old = new Map(before.map((part) => [idOf(part), part]));
  const kept = after.filter((part) => old.has(idOf(part)));
  const same = new Set(kept.filter((part) => isDeepStrictEqual(part, old.get(idOf(part)))));
  const ids = new Set(after.map(idOf));
  return {
    added: after.filter((part) => !old.has(idOf(part))).map(idOf),
    removed: [...old.keys()].filter((id) => !ids.has(id)),
    changed: kept.filter((part) => !same.has(part)).map(idOf),
    unchanged: kept.filter((part) => same.has(part)).map(idOf),
  };
}

const nodeId = (part: { readonly nodeId: string }): string => part.nodeId;

/** What a deploy changes; `before` is null when nothing ran yet. */
export function diffPlans(before: Plan | null, after: Plan): PlanDiff {
  return {
    ports: diffParts(before?.ports ?? [], after.ports, nodeId),
    concentrators: diffParts(before?.concentrators ?? [], after.concentrators, nodeId),
    serialSources: diffParts(before?.serialSources ?? [], after.serialSources, nodeId),
    loraSources: diffParts(before?.loraSources ?? [], after.loraSources, nodeId),
    rules: diffParts(before?.rules ?? [], after.rules, nodeId),
    brokers: diffParts(before?.brokers ?? [], after.brokers, nodeId),
    streams: diffParts(before?.streams ?? [], after.streams, (stream) => stream.stream),
    gatewayChanged: !isDeepStrictEqual(before?.gateway, after.gateway),
    wiringChanged: !isDeepStrictEqual(
      [before?.routes, before?.injections, before?.taps],
      [after.routes, after.injections, after.taps],
    ),
  };
}
