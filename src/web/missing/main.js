/** What is shown where there is no page: the way to those that there are. */
import { arrive } from '../page/places.js';

// Without an answer there is still the link.
await arrive().catch(() => undefined);
