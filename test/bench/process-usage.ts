import { readFileSync, readdirSync } from 'node:fs';

/** Of a process and everything it started; bytes and CPU since each process began. */
export interface Usage {
  readonly rssMb: number;
  /** Shared pages divided among those who share them. */
  readonly pssMb: number;
  /** Memory of its own that no file stands behind: what another process cannot share and the kernel cannot drop. */
  readonly anonymousMb: number;
  /** Greatest RSS so far, added up over the processes. */
  readonly peakRssMb: number;
  /** User and system time, ended children included. */
  readonly cpuSeconds: number;
  /** What reached the file system (pages made dirty). */
  readonly writtenBytes: number;
  /** Arguments of write(2) and its kin, sockets included. */
  readonly writeCallBytes: number;
}

/** Ticks of `utime` in /proc: 100 a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

const field = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);

/** Fields of /proc/PID/stat after the command, which may hold blanks: the first is the state, field 3 of proc(5). */
const statOf = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');

function processTree(root: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      parents.set(Number(name), Number(statOf(Number(name))[1]));
    } catch {
      // It ended while the list was read.
    }
  }
  const tree = new Set([root]);
  for (let before = 0; before !== tree.size;) {
    before = tree.size;
    for (const [pid, parent] of parents) if (tree.has(parent)) tree.add(pid);
  }
  return [...tree];
}

function usageOf(pid: number): Usage {
  const stat = statOf(pid);
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(stat[index]), 0);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const io = readFileSync(`/proc/${pid}/io`, 'utf8');
  return {
    rssMb: field(status, 'VmRSS') / 1024,
    pssMb: field(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'), 'Pss') / 1024,
    anonymousMb: field(status, 'RssAnon') / 1024,
    peakRssMb: field(status, 'VmHWM') / 1024,
    cpuSeconds: ticks / TICKS_PER_SECOND,
    writtenBytes: field(io, 'write_bytes'),
    writeCallBytes: field(io, 'wchar'),
  };
}

export function treeUsage(root: number): Usage {
  const all = processTree(root).map(usageOf);
  const sum = (name: keyof Usage): number => all.reduce((total, usage) => total + usage[name], 0);
  return {
    rssMb: sum('rssMb'),
    pssMb: sum('pssMb'),
    anonymousMb: sum('anonymousMb'),
    peakRssMb: sum('peakRssMb'),
    cpuSeconds: sum('cpuSeconds'),
    writtenBytes: sum('writtenBytes'),
    writeCallBytes: sum('writeCallBytes'),
  };
}

export const median = (values: readonly number[]): number => {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};
