import { z } from 'zod';
import type { LoraSourceSettings } from '../../model/plan.ts';
import { documented, jsonOrAsIs, listOrAsIs, reference, textList } from '../fields.ts';
import { defineNode } from '../node-type.ts';
import { quantityId } from './channel.ts';

const quantities = documented(z.preprocess(listOrAsIs, z.array(quantityId()).max(100).default([])), {
  kind: 'list of quantities',
  unit: '',
  default: 'empty',
});

const selection = z.object({ places: textList('list of places'), tags: textList('list of tags'), quantities });

const selectOrAsIs = (value: unknown): unknown => {
  const given = jsonOrAsIs(value) ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) return given;
  return { places: undefined, tags: undefined, quantities: undefined, ...given };
};

const schema = z.object({
  concentrator: reference('cigale-concentrator'),
  select: documented(z.preprocess(selectOrAsIs, selection), {
    kind: 'object',
    unit: '',
    default: 'empty',
    nested: { schema: selection, list: false },
  }),
});

/** Devices of the registry heard by a concentrator. */
export const loraNode = defineNode({
  type: 'cigale-lora',
  role: 'source',
  accepts: [],
  outputs: ['samples'],
  schema,
  references: { concentrator: 'cigale-concentrator' },
  settings: (node, given): LoraSourceSettings => ({
    nodeId: node.id,
    name: node.name,
    concentrator: given.concentrator,
    places: given.select.places,
    tags: given.select.tags,
    quantities: given.select.quantities,
  }),
});
