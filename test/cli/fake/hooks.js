/** Module hook: the program's import of the real proxy leads to the fake one. */
export function resolve(specifier, context, next) {
  const isProxy = specifier === '../../index.ts' && context.parentURL?.includes('/src/cli/commands/proxy.ts');
  return next(isProxy ? new URL('./proxy.ts', import.meta.url).href : specifier, context);
}
