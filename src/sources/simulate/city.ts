import { normal, poisson, seededRandom } from './random.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** −1 in the small hours, +1 in the afternoon (UTC is near enough to the sun for Provence). */
const daylight = (atMs: number): number => Math.sin(((atMs % DAY_MS) / HOUR_MS - 8) * (Math.PI / 12));

export interface NoiseSecond {
  readonly LAeq: number;
  readonly LAFmax: number;
  readonly LCpeak: number;
}

/** A made-up but plausible street: traffic that follows the day, passing vehicles, cicadas when it is hot. */
export class SimulatedCity {
  readonly #random: () => number;
  #passing = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** Levels of the second that ends now, dB(A) and dB(C), to 0.1 dB. */
  noise(atMs: number): NoiseSecond {
    if (this.#random() < 0.02) this.#passing = 18;
    this.#passing *= 0.8;
    const cicadas = daylight(atMs) > 0.6 ? 4 : 0;
    const level = 52 + 6 * daylight(atMs) + cicadas + this.#passing + normal(this.#random);
    return {
      LAeq: tenth(level),
      LAFmax: tenth(level + 3 + 3 * this.#random()),
      LCpeak: tenth(level + 18 + 5 * this.#random()),
    };
  }

  /** People and bicycles that passed in an interval. */
  passes(atMs: number, intervalMs: number): { pedestrians: number; bicycles: number } {
    const busy = Math.max(0.1, (1 + daylight(atMs)) / 2);
    const minutes = intervalMs / 60_000;
    return {
      pedestrians: poisson(6 * busy * minutes, this.#random),
      bicycles: poisson(2 * busy * minutes, this.#random),
    };
  }

  /** Shade temperature (°C) and relative humidity (%); `heatIslandK` is what the site adds, most of it at night. */
  weather(atMs: number, heatIslandK: number): { temperature: number; humidity: number } {
    const sun = daylight(atMs);
    const temperature = 26 + 7 * sun + heatIslandK * (0.7 - 0.3 * sun) + 0.2 * normal(this.#random);
    return {
      temperature: tenth(temperature),
      humidity: tenth(Math.min(99, Math.max(15, 55 - 25 * sun + normal(this.#random)))),
    };
  }
}

const tenth = (value: number): number => Math.round(value * 10) / 10;
