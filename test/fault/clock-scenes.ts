/** What a clock trial does to the machine's clock; instants are UTC epoch milliseconds. */

/** How the line of time stands to the machine's clock: it goes with it, stays where it was, or gets its truth when the clock is set. */
type Line = 'follows' | 'holds' | 'waits';

export interface Phase {
  /** Where the wall clock is put; `true`: to the truth; undefined: it is left alone. */
  readonly clock?: { readonly at: number } | { readonly byMs: number } | 'truth';
  readonly synchronized: boolean | null;
  readonly line: Line;
  readonly durationMs: number;
  /** The process is killed at that moment of the phase and started again at once. */
  readonly killMs?: number;
  /** The machine loses its power and starts anew with the phase. */
  readonly reboot?: boolean;
  /** The clock is set by `POST /v1/clock` at the start of the phase. */
  readonly phone?: boolean;
}

export interface Scene {
  readonly name: string;
  /** The true time at the start: ten seconds before a minute ends. */
  readonly startAt: number;
  readonly phases: readonly Phase[];
}

const YEAR_MS = 365.25 * 86_400_000;
const EPOCH = { at: 5000 } as const;

/** Every kind of trouble in turn; kills fall where chance puts them. */
export function sceneOf(trial: number, random: () => number): Scene {
  const startAt = Date.UTC(2026, 10, 1 + Math.floor(random() * 25), Math.floor(random() * 24), 10, 50);
  const kill = (): { killMs?: number } => (random() < 0.6 ? { killMs: 200 + random() * 1500 } : {});
  const early = (): { killMs?: number } => (random() < 0.6 ? { killMs: random() * 500 } : {});
  const steady = { synchronized: null, line: 'follows', durationMs: 2500 } as const;
  const unset = { clock: EPOCH, line: 'waits', durationMs: 3000 } as const;
  const service = { synchronized: true, line: 'follows', durationMs: 3000 } as const;
  const scenes: readonly Omit<Scene, 'startAt'>[] = [
    {
      name: '1970, then a time service',
      phases: [
        { ...unset, synchronized: false, ...kill() },
        { ...service, clock: 'truth', ...early() },
      ],
    },
    {
      name: '1970, then set by hand',
      phases: [
        { ...unset, synchronized: null, ...kill() },
        { ...steady, clock: 'truth', ...early() },
      ],
    },
    {
      name: '1970, then a phone',
      phases: [
        { ...unset, synchronized: false, ...kill() },
        { synchronized: false, line: 'holds', durationMs: 3000, phone: true, ...early() },
      ],
    },
    {
      name: '1970 until the power is cut',
      phases: [
        { ...unset, synchronized: false, line: 'follows', ...kill() },
        { ...service, clock: 'truth', reboot: true, ...kill() },
      ],
    },
    {
      name: '+56 years',
      phases: [
        steady,
        { ...steady, clock: { byMs: 56 * YEAR_MS }, line: 'holds', ...kill() },
        { ...steady, clock: 'truth' },
      ],
    },
    {
      name: '-1 hour',
      phases: [service, { ...service, clock: { byMs: -3_600_000 }, ...kill() }],
    },
    {
      name: '-5 years',
      phases: [
        steady,
        { ...steady, clock: { byMs: -5 * YEAR_MS }, line: 'holds', ...kill() },
        { ...steady, clock: 'truth' },
      ],
    },
    { name: 'DST begins', phases: [{ ...service, durationMs: 12_000, ...kill() }] },
    { name: 'DST ends', phases: [{ ...service, durationMs: 12_000, ...kill() }] },
  ];
  const scene = scenes[trial % scenes.length] as Omit<Scene, 'startAt'>;
  if (scene.name === 'DST begins') return { ...scene, startAt: Date.UTC(2026, 2, 29, 0, 59, 54) };
  if (scene.name === 'DST ends') return { ...scene, startAt: Date.UTC(2026, 9, 25, 0, 59, 54) };
  return { ...scene, startAt };
}
