import { createContext, Script } from 'node:vm';
import { GatewayError, messageOf, systemCode } from '../../runtime/errors.ts';

const MAX_PATTERN_CHARACTERS = 1000;
const MATCH_LIMIT_MS = 50;
/** Repetitions of `.` or of a negated class that a pattern may have and still be matched without a watch. */
const MAX_WIDE_REPETITIONS = 2;

/** Parts whose cost can grow beyond a low power of the line's length. */
const BACKREFERENCE_OR_LOOK = /\\[1-9k]|\(\?<?[=!]/;
const REPEATED_GROUP = /\)(?:[*+]|\{\d*,?\d*\})/;
/** Two repetitions side by side may share their characters in many ways. */
const ADJACENT_REPETITIONS =
  /(?:[*+]|\{\d+,\d*\})\??\)*\(*(?:\?:|\?<\w+>)?(?:\\[dwDWS]|\[(?:\\.|[^\]\\])*\]|\.)(?:[*+]|\{\d+,\d*\})/;
const WIDE_REPETITION = /(?:\.|\[\^(?:\\.|[^\]\\])*\]|\\[DSW])(?:[*+]|\{\d+,\d*\})/g;

export type Match = (text: string) => RegExpExecArray | null | 'timeout';

/**
 * A technician's pattern that cannot stop the gateway. Patterns that may backtrack without end (repeated groups,
 * repetitions side by side, backreferences, look-around, many wide repetitions) run under a watch that ends them, at some 0.1 ms a line.
 */
export function compilePattern(pattern: string, node: string): Match {
  const regex = compile(pattern, node);
  return isCheap(pattern) ? (text) => regex.exec(text) : watched(regex);
}

function compile(pattern: string, node: string): RegExp {
  if (pattern.length > MAX_PATTERN_CHARACTERS) {
    throw new GatewayError('FLOW_INVALID', 'the pattern is too long', { context: { node } });
  }
  try {
    return new RegExp(pattern);
  } catch (error) {
    throw new GatewayError('FLOW_INVALID', messageOf(error), { context: { node }, cause: error });
  }
}

const isCheap = (pattern: string): boolean =>
  !BACKREFERENCE_OR_LOOK.test(pattern) &&
  !REPEATED_GROUP.test(pattern) &&
  !ADJACENT_REPETITIONS.test(pattern) &&
  (pattern.match(WIDE_REPETITION) ?? []).length <= MAX_WIDE_REPETITIONS;

function watched(regex: RegExp): Match {
  const script = new Script('regex.exec(text)');
  const scope = { regex, text: '' };
  const context = createContext(scope);
  return (text) => {
    scope.text = text;
    try {
      return script.runInContext(context, { timeout: MATCH_LIMIT_MS }) as RegExpExecArray | null;
    } catch (error) {
      if (systemCode(error) === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return 'timeout';
      throw error;
    }
  };
}
