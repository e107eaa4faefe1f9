/** What answers from the archive, and what others add to it: one heading for users, two tables for programs. */
import { listOf, moduleName, oneOf, path, wholeNumber } from '../kinds.ts';
import { group, type Resolved } from '../row.ts';

/** The second proxy. */
export const PLAYBACK_ROWS = group('Playback and plugins', {
  playbackPort: {
    short: 'P',
    argument: 'N',
    kind: wholeNumber(0, 65535),
    defaultText: 'none',
    summary: 'second proxy that answers from the WARC files only; 0 picks a free port',
  },
  replaywebpage: {
    argument: 'DIR',
    kind: path,
    defaultText: 'looked for',
    summary: 'folder of the package replaywebpage, which shows captures within the page /replay/',
  },
  playbackWebsocket: {
    argument: 'WHAT',
    kind: oneOf('log', 'off'),
    default: 'log',
    summary: 'WebSockets at the playback port: log (what the origin sent is sent again, at its times) or off (404)',
  },
});

/** Modules of others that see captures. */
export const PLUGIN_ROWS = group('Playback and plugins', {
  plugin: {
    argument: 'MODULE',
    kind: listOf(moduleName),
    default: [],
    defaultText: 'none',
    summary: 'ES module that sees captures, a path or the name of a package; may be repeated',
  },
});

export type PlaybackSlice = Resolved<typeof PLAYBACK_ROWS>;
export type PluginSlice = Resolved<typeof PLUGIN_ROWS>;
