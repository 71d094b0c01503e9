import { GatewayError } from '../runtime/errors.ts';

interface BrokenVersions {
  readonly name: string;
  /** First and last release that have the fault. */
  readonly from: string;
  readonly to: string;
  /** Releases between them that got the correction later. */
  readonly fixedBranches: readonly string[];
  readonly advice: string;
}

/** Faults of SQLite that can corrupt a file as this store uses it: in WAL mode, with FULL sync. */
const BROKEN: readonly BrokenVersions[] = [
  {
    // A checkpoint and a write of two connections meet (sqlite.org/wal.html, "the WAL-reset bug"). Our lock forbids a second
    // connection; a copy tool beside us would not ask.
    name: 'the WAL-reset bug',
    from: '3.7.0',
    to: '3.51.2',
    fixedBranches: ['3.44.6', '3.50.7'],
    advice: 'use 3.51.3 or newer',
  },
];

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let index = 0; index < 3; index += 1) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const branchOf = (version: string): string => version.split('.').slice(0, 2).join('.');

const isCorrected = (version: string, { fixedBranches }: BrokenVersions): boolean =>
  fixedBranches.some((fixed) => branchOf(fixed) === branchOf(version) && compareVersions(version, fixed) >= 0);

/** Why a version is not to be trusted with the store, in words; null for a sound one. */
export function faultOfVersion(version: string): string | null {
  const fault = BROKEN.find(
    (broken) =>
      compareVersions(version, broken.from) >= 0 &&
      compareVersions(version, broken.to) <= 0 &&
      !isCorrected(version, broken),
  );
  return fault === undefined
    ? null
    : `SQLite ${version} has ${fault.name} (${fault.from} to ${fault.to}): ${fault.advice}`;
}

/** Throws STORE_SQLITE_REFUSED for a version that can corrupt the store. */
export function refuseBrokenVersion(version: string): void {
  const fault = faultOfVersion(version);
  if (fault === null) return;
  throw new GatewayError('STORE_SQLITE_REFUSED', fault, { context: { sqliteVersion: version } });
}
