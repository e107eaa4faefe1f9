import { memoryPlayback } from '../../../src/store/memory/playback.ts';
import { playbackContract } from '../contract/playback.ts';

playbackContract('memory', () => Promise.resolve(memoryPlayback()));
