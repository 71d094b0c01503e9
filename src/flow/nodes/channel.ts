import { z } from 'zod';
import { convertUnit } from '../../model/unit.ts';
import { findQuantity, QUANTITIES } from '../../model/quantity.ts';
import type { ChannelSettings } from '../../model/plan.ts';
import {
  blankAsAbsent,
  decimal,
  documented,
  durationOrNever,
  jsonOrAsIs,
  report,
  text,
  textOrAsIs,
} from '../fields.ts';

/** An id of the catalogue. */
export const quantityId = () =>
  documented(
    z.preprocess(
      blankAsAbsent,
      z.string().superRefine((value, sink) => {
        if (findQuantity(value) !== undefined) return;
        const known = QUANTITIES.map((entry) => entry.id).join(', ');
        report(sink, 'QUANTITY_UNKNOWN', {
          en: `is ${JSON.stringify(value)}, which is not in the catalogue; it takes one of: ${known}.`,
          fr: `vaut ${JSON.stringify(value)}, absent du catalogue ; valeurs possibles : ${known}.`,
        });
      }),
    ),
    { kind: 'quantity', unit: '', default: 'required' },
  );

const key = documented(z.preprocess(textOrAsIs, z.string().max(200)), {
  kind: 'text up to 200',
  unit: 'characters',
  default: 'required',
});

const NUMBER = { min: -1e12, max: 1e12 };

const channel = z
  .object({
    key,
    quantity: quantityId(),
    channel: text(40),
    unit: text(20),
    scale: decimal({ ...NUMBER, default: 1 }),
    offset: decimal({ ...NUMBER, default: 0, unit: "the device's unit" }),
    averaging: durationOrNever({ min: '1ms', max: '1d', default: '' }),
  })
  .superRefine((given, sink) => {
    const quantity = findQuantity(given.quantity);
    if (given.scale === 0) {
      const text = {
        en: 'must not be 0: every value would be the same.',
        fr: 'ne peut pas être 0 : toutes les valeurs seraient égales.',
      };
      report(sink, 'PROPERTY_INVALID', text, ['scale']);
    }
    if (quantity === undefined || given.unit === '' || convertUnit(1, given.unit, quantity.unit) !== undefined) return;
    const text = {
      en: `is "${given.unit}", which does not convert to ${quantity.unit}, the unit of ${quantity.id}: correct it, or leave it empty and use "scale" and "offset".`,
      fr: `vaut « ${given.unit} », qui ne se convertit pas en ${quantity.unit}, l'unité de ${quantity.id} : corrigez, ou laissez vide et utilisez « scale » et « offset ».`,
    };
    report(sink, 'UNIT_NOT_CONVERTIBLE', text, ['unit']);
  });

/** Forms leave out what is not set: every property is given to the schema. */
const whole = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { ...Object.fromEntries(Object.keys(channel.shape).map((name) => [name, undefined])), ...value }
    : value;

/** The quantities that a line carries, with where they stand in it. */
export const channels = documented(
  z.preprocess(
    jsonOrAsIs,
    z
      .array(z.preprocess(whole, channel))
      .min(1)
      .max(64)
      .superRefine((given, sink) => {
        const seen = new Set<string>();
        given.forEach(({ quantity, channel }, index) => {
          const series = JSON.stringify([quantity, channel]);
          if (seen.has(series)) {
            const text = {
              en: `gives ${quantity} a second time: tell them apart by "channel".`,
              fr: `donne ${quantity} une seconde fois : distinguez-les par « channel ».`,
            };
            report(sink, 'CHANNEL_DUPLICATE', text, [index, 'channel']);
          }
          seen.add(series);
        });
      }),
  ),
  { kind: 'list of 1 to 64 objects', unit: '', default: 'required', nested: { schema: channel, list: true } },
);

export const channelSettings = (given: z.output<typeof channel>): ChannelSettings => ({
  key: given.key,
  quantity: given.quantity,
  channel: given.channel,
  unit: given.unit,
  scale: given.scale,
  offset: given.offset,
  averagingMs: given.averaging,
});
