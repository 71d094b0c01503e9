/** URL of a module beside the caller's, with the caller's own ending: `.ts` in a checkout under test, `.js` when built. */
export const siblingModule = (callerUrl: string, name: string): URL =>
  new URL(`./${name}${callerUrl.endsWith('.ts') ? '.ts' : '.js'}`, callerUrl);
