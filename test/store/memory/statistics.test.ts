import { memoryStatistics } from '../../../src/store/memory/statistics.ts';
import { statisticsContract } from '../contract/statistics.ts';

statisticsContract('memory', () => Promise.resolve(memoryStatistics()));
