import type { ChannelMap } from '../../model/device.ts';
import { findQuantity } from '../../model/quantity.ts';
import { canonicalUnit, convertUnit } from '../../model/unit.ts';
import { type Cell, bad, excerpt, good } from './csv-faults.ts';

const MAX_CHANNELS = 64;
const MAX_PART_LENGTH = 100;

/** `field=quantity:unit:channel` by `|`; the unit defaults to the quantity's own, the channel to none. */
export function parseChannels(text: string): Cell<readonly ChannelMap[]> {
  const parts = text
    .split('|')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length > MAX_CHANNELS) {
    return bad(
      'CHANNEL_INVALID',
      `More than ${MAX_CHANNELS} channels for one device.`,
      `Plus de ${MAX_CHANNELS} voies pour un appareil.`,
    );
  }
  const channels: ChannelMap[] = [];
  const series = new Set<string>();
  for (const part of parts) {
    const cell = parseChannel(part);
    if ('fault' in cell) return cell;
    const { quantity, channel } = cell.value;
    if (series.has(`${quantity}:${channel}`)) return twice(part);
    series.add(`${quantity}:${channel}`);
    channels.push(cell.value);
  }
  return good(channels);
}

/** The cell that `parseChannels` reads back as the same channels. */
export const formatChannels = (channels: readonly ChannelMap[]): string =>
  channels
    .map(({ field, quantity, unit, channel }) => `${field}=${quantity}:${unit}${channel === '' ? '' : `:${channel}`}`)
    .join('|');

function parseChannel(part: string): Cell<ChannelMap> {
  // The last sign: a field may hold one, what follows never does.
  const sign = part.lastIndexOf('=');
  const field = part.slice(0, Math.max(sign, 0)).trim();
  const [quantityId = '', unitText = '', ...rest] = part.slice(sign + 1).split(':');
  if (field === '' || part.length > MAX_PART_LENGTH) {
    return bad(
      'CHANNEL_INVALID',
      `"${excerpt(part)}": write field=quantity:unit, for example temperature=airTemperature:°C.`,
      `« ${excerpt(part)} » : écrivez champ=grandeur:unité, par exemple temperature=airTemperature:°C.`,
    );
  }
  const quantity = findQuantity(quantityId.trim());
  if (quantity === undefined) {
    return bad(
      'QUANTITY_UNKNOWN',
      `"${excerpt(quantityId.trim())}" is not a quantity: docs/registry.md lists them.`,
      `« ${excerpt(quantityId.trim())} » n'est pas une grandeur : docs/registry.md en donne la liste.`,
    );
  }
  const unit = unitText.trim() === '' ? quantity.unit : canonicalUnit(unitText);
  if (unit === undefined || convertUnit(0, unit, quantity.unit) === undefined) {
    return bad(
      'UNIT_UNKNOWN',
      `"${excerpt(unitText.trim())}" is not a unit that converts to ${quantity.unit}, the unit of ${quantity.id}.`,
      `« ${excerpt(unitText.trim())} » n'est pas une unité convertible en ${quantity.unit}, l'unité de ${quantity.id}.`,
    );
  }
  return good({ field, quantity: quantity.id, unit, channel: rest.join(':').trim() });
}

const twice = (part: string): Cell<never> =>
  bad(
    'CHANNEL_INVALID',
    `"${excerpt(part)}": this quantity is given twice; tell the two apart with a channel: field=quantity:unit:channel.`,
    `« ${excerpt(part)} » : cette grandeur est donnée deux fois ; distinguez-les par une voie : champ=grandeur:unité:voie.`,
  );
