#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';

const OLDEST_NODE = 24;

// Before anything else is loaded: an older Node fails on the imports with messages that help nobody.
if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `cigale needs Node.js ${OLDEST_NODE} or later, this is ${process.version}; "npx cigale" takes the one of the package\n`,
  );
  process.exitCode = 70;
} else {
  // New objects live in 2 MB, not in up to 64 MB of which no burst gives anything back; the collections that this adds cost
  // nothing measurable (docs/benchmarks.md). It has effect because the space has not grown yet.
  setFlagsFromString('--semi-space-growth-factor=1');
  const { runCommand } = await import('./cli/commands.ts');
  process.exitCode = await runCommand(process.argv.slice(2));
}
