import type { Text } from './text.ts';

/**
 * How values of a quantity combine over time: `energy` for levels in dB (ISO 1996-1: an arithmetic mean is
 * meaningless), `mean` for intensive quantities, `sum` for counts, `max` for peaks, `last` for states.
 */
export type Combination = 'energy' | 'mean' | 'sum' | 'max' | 'last';

/** The rule family that aggregates a quantity; `none` for quantities that are only forwarded. */
export type Domain = 'noise' | 'heat' | 'count';

export interface Quantity {
  readonly id: string;
  /** Unit of every stored value; decoders convert to it. */
  readonly unit: string;
  /** Plausible range in `unit`; a value outside is marked suspect, never clamped. */
  readonly min: number;
  readonly max: number;
  readonly combination: Combination;
  readonly domain: Domain | null;
  readonly name: Text;
}

const quantity = (
  id: string,
  unit: string,
  range: readonly [number, number],
  combination: Combination,
  domain: Domain | null,
  en: string,
  fr: string,
): Quantity => ({ id, unit, min: range[0], max: range[1], combination, domain, name: { en, fr } });

const MAX_COUNT = 1_000_000;

/** The catalogue: each quantity once, with its unit (UCUM-like text as published upstream). */
export const QUANTITIES: readonly Quantity[] = [
  quantity('LAeq', 'dB(A)', [0, 140], 'energy', 'noise', 'equivalent sound level', 'niveau sonore équivalent'),
  quantity('LAFmax', 'dB(A)', [0, 150], 'max', 'noise', 'maximum sound level, fast', 'niveau sonore maximal, rapide'),
  quantity('LCpeak', 'dB(C)', [0, 170], 'max', 'noise', 'peak sound level', 'niveau de crête'),
  quantity('airTemperature', '°C', [-50, 60], 'mean', 'heat', 'air temperature', "température de l'air"),
  quantity('globeTemperature', '°C', [-50, 90], 'mean', 'heat', 'globe temperature', 'température de globe'),
  quantity('relativeHumidity', '%', [0, 100.5], 'mean', 'heat', 'relative humidity', 'humidité relative'),
  quantity('dewPoint', '°C', [-70, 40], 'mean', 'heat', 'dew point', 'point de rosée'),
  quantity('windSpeed', 'm/s', [0, 75], 'mean', 'heat', 'wind speed', 'vitesse du vent'),
  quantity('windDirection', '°', [0, 360], 'last', null, 'wind direction', 'direction du vent'),
  quantity('solarIrradiance', 'W/m²', [0, 1600], 'mean', 'heat', 'solar irradiance', 'rayonnement solaire'),
  quantity('pressure', 'hPa', [500, 1100], 'mean', 'heat', 'atmospheric pressure', 'pression atmosphérique'),
  quantity('rainfall', 'mm', [0, 1000], 'sum', null, 'rainfall', 'précipitations'),
  quantity('pedestrianCount', '1', [0, MAX_COUNT], 'sum', 'count', 'pedestrians', 'piétons'),
  quantity('bicycleCount', '1', [0, MAX_COUNT], 'sum', 'count', 'bicycles', 'vélos'),
  quantity('vehicleCount', '1', [0, MAX_COUNT], 'sum', 'count', 'vehicles', 'véhicules'),
  quantity('batteryVoltage', 'V', [0, 60], 'last', null, 'battery voltage', 'tension de batterie'),
  quantity('battery', '%', [0, 100], 'last', null, 'battery', 'batterie'),
  quantity('waterVolume', 'L', [0, 1e9], 'last', null, 'water volume', "volume d'eau"),
  quantity('resistance', 'Ω', [0, 1e9], 'mean', null, 'resistance', 'résistance'),
  quantity('voltage', 'V', [-1000, 1000], 'mean', null, 'voltage', 'tension'),
  quantity('speed', 'm/s', [0, 120], 'mean', null, 'speed', 'vitesse'),
  quantity('length', 'm', [0, 1e6], 'mean', null, 'length', 'longueur'),
  quantity('number', '1', [-1e15, 1e15], 'last', null, 'number', 'nombre'),
];

const BY_ID: ReadonlyMap<string, Quantity> = new Map(QUANTITIES.map((entry) => [entry.id, entry]));

/** The quantity with that id, or undefined: an id outside the catalogue is a fault of the flow or registry. */
export const findQuantity = (id: string): Quantity | undefined => BY_ID.get(id);

/** Whether a value (in the quantity's own unit) lies in its plausible range. */
export const isPlausible = (entry: Quantity, value: number): boolean => value >= entry.min && value <= entry.max;
