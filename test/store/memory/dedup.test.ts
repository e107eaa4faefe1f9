import { memoryDedup } from '../../../src/store/memory/dedup.ts';
import { dedupContract } from '../contract/dedup.ts';

dedupContract('memory', () => Promise.resolve(memoryDedup()));
