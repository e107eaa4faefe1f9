/**
 * The pages of the proxy, the whole list on one screen.
 */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { hostname as machineName } from 'node:os';
import { nameOf } from '../ca/apple-profile.ts';
import type { CertificateAuthority } from '../ca/authority.ts';
import type { ResolvedOptions } from '../options/table.ts';
import type { Moments } from '../store/moments.ts';
import type { PlaybackIndex } from '../store/playback.ts';
import type { Log } from '../util/log.ts';
import { RAW, rawPage } from '../playback/raw-page.ts';
import type { Playback } from '../playback/answer.ts';
import { OptionError } from '../options/error.ts';
import { machineAddress } from '../util/machine-address.ts';
import { isLoopback, isUnspecified } from '../util/network.ts';
import { readVersion } from '../util/version.ts';
import { caFiles, PKCS12_PASSWORD } from '../web/ca-files.ts';
import { ownHosts } from '../web/own-hosts.ts';
import { missingPage } from '../web/missing.ts';
import { pacPage } from '../web/pac.ts';
import { guarded } from '../web/guard.ts';
import { readPageFiles } from '../web/page-files.ts';
import { createPages, type FetchHandler, type Pages } from '../web/pages.ts';
import { isThrough, startPages, VIA } from '../web/start.ts';
import { replayPages } from '../web/replay.ts';
import { findReplayWebPage, replayWebPages } from '../web/replaywebpage.ts';
import { reasonOf } from '../util/thrown.ts';
import type { LivePages } from './watching.ts';

export interface OwnPagesParts {
  readonly options: Pick<ResolvedOptions, 'address' | 'pageHost' | 'replaywebpage'>;
  readonly ca: CertificateAuthority;
  /** the proxy asks for a password */
  readonly login: boolean;
  /** where the proxy listens, known once it does */
  readonly listening: () => AddressInfo;
  /** of the playback proxy, if there is one */
  readonly playbackUrl: () => string | undefined;
  /** what is going on */
  readonly live: LivePages;
  /** what was archived, by path */
  readonly shown: Readonly<Record<string, FetchHandler>>;
  /** of what was archived, where there is one */
  readonly archived: { readonly index: PlaybackIndex; readonly moments: Moments; readonly playback: Playback } | undefined;
  readonly log: Log;
}

/** What is told to everybody, as nobody can log in to it: browsers have no password for a PAC. */
export const OPEN_PATHS: readonly string[] = ['/proxy.pac'];

/** @returns those of the proxy, and those of the playback proxy, which has only what leads into the archive */
export function ownPages({ options, ca, login, listening, playbackUrl, live, shown, archived, log }: OwnPagesParts): {
  readonly ofProxy: Pages;
  readonly ofPlayback: Pages;
} {
  const isOwnHost = ownHosts([options.address, machineName(), ...options.pageHost]);
  const proxy = (request: Request) => placeFor(request, listening());
  // Who may use the proxy may see what others have archived: everybody on the network only where they log in.
  const closed = () => {
    const { address } = listening();
    if (login || isLoopback(address)) return undefined;
    return `this is off while the proxy listens on ${address} without a log-in: see --proxy-auth-file`;
  };
  const about = (request: Request) => ({
    version: readVersion(),
    host: machineName(),
    proxy: proxy(request),
    playback: playbackUrl(),
    inPage: replayer !== undefined,
    login,
    ca: { name: nameOf(ca), sha256: ca.certificate.fingerprint256, validTo: new Date(ca.certificate.validTo).toISOString() },
    password: PKCS12_PASSWORD,
    pages: Object.keys(routes).flatMap((path) => (path === '/dashboard' && closed() !== undefined ? [] : [path.replace(/\*$/, '')])),
  });
  const start = startPages({ about, instance: randomUUID(), isOwnHost });
  const guard = (handler: FetchHandler) => guarded(handler, closed);
  const replayer = archived && replayerOf(options.replaywebpage);
  // Both are asked for by the same name, at two ports: two origins.
  const at = (request: Request, url: string) => `http://${new URL(request.url).hostname}:${new URL(url).port}`;
  const frames = (request: Request) => (replayer && !isThrough(request) ? at(request, playbackUrl() ?? '') : undefined);
  const replay = (isPlayback: boolean) => (archived ? replayPages({ ...archived, frames, isPlayback, isOwnHost, guard }) : {});
  const inPage = archived && {
    [`${RAW}*`]: guard(rawPage(archived.playback)),
    ...(replayer && replayWebPages(replayer, (request) => `'self' ${at(request, `http://localhost:${listening().port}`)}`)),
  };
  const lost = missingPage();
  // No URL of anybody is in the first two.
  const { '/status': status, '/metrics': metrics, ...ofCaptures } = live;
  const routes: Readonly<Record<string, FetchHandler>> = {
    ...start,
    ...lost.files,
    ...caFiles(ca),
    '/proxy.pac': pacPage(proxy),
    '/status': status,
    '/metrics': metrics,
    ...dashboard(closed),
    ...replay(false),
    ...Object.fromEntries(Object.entries({ ...ofCaptures, ...shown }).map(([path, page]) => [path, guarded(page, closed)])),
  };
  const ofPlayback = { ...start, ...lost.files, ...caFiles(ca), ...replay(true), ...inPage, '/': toReplay };
  const shared = { ofEachName: [VIA], missing: lost.page, isOwnHost, log };
  return {
    ofProxy: createPages({ ...shared, routes }),
    ofPlayback: createPages({ ...shared, routes: ofPlayback }),
  };
}

/** @throws OptionError for a folder that has not got it */
function replayerOf(folder: string | undefined): ReturnType<typeof findReplayWebPage> {
  try {
    return findReplayWebPage(folder);
  } catch (error) {
    throw new OptionError('replaywebpage', folder, `the folder of the package, ${reasonOf(error)}`);
  }
}

/** Who asks the playback proxy itself wants to look at the archive. */
const toReplay: FetchHandler = () => new Response(null, { status: 307, headers: { location: '/replay/' } });

/** By path. Its files are nobody's secret. */
function dashboard(closed: () => string | undefined): Readonly<Record<string, FetchHandler>> {
  const folder = new URL('../web/dashboard/', import.meta.url);
  const files = Object.fromEntries(readPageFiles(folder, { index: '/dashboard', files: '/web/dashboard/' }));
  const { '/dashboard': page = () => new Response(null, { status: 404 }) } = files;
  return { ...files, '/dashboard': guarded(page, closed) };
}

/**
 * `host:port` of the proxy for the one who asks: the way that has led here, or, for who comes through the proxy and knows it already, where
 * it listens.
 */
function placeFor(request: Request, { address, port }: AddressInfo): string {
  const { hostname, port: written, protocol } = new URL(request.url);
  if (!isThrough(request)) return `${hostname}:${written === '' ? (protocol === 'https:' ? 443 : 80) : written}`;
  const host = isUnspecified(address) ? (machineAddress() ?? machineName()) : address;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
