/**
 * What random tests begin with: the same in each run of the suite, so that it fails for what was changed and not for what was never tried.
 *
 * What was never tried is for long runs by hand (WARCTAP_FUZZ_RUNS), which begin with another seed each time and say which;
 * WARCTAP_FUZZ_SEED repeats one.
 */
const long = process.env.WARCTAP_FUZZ_RUNS;
const again = process.env.WARCTAP_FUZZ_SEED;

/** Inputs of a long run; 0 in the suite. */
export const RUNS = Number(long ?? 0);
export const SEED = again !== undefined ? Number(again) : RUNS > 0 ? Date.now() | 0 : 20_240_229;
