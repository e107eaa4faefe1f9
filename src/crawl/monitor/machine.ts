/**
 * What the machine does: processors, memory, disks and networks, as far as its system tells.
 *
 * Disks and networks are those of Linux (proc(5)): elsewhere there is only the disk of this folder, and networks without their counters.
 */
import { readFile, statfs } from 'node:fs/promises';
import { cpus, freemem, networkInterfaces, totalmem } from 'node:os';
import { create } from '@bufbuild/protobuf';
import {
  ResourceFrameCpuSchema,
  ResourceFrameDiskSchema,
  ResourceFrameMemorySchema,
  ResourceFrameNetworkSchema,
  type ResourceFrameCpu,
  type ResourceFrameDisk,
  type ResourceFrameMemory,
  type ResourceFrameNetwork,
} from '../proto/starbelly_pb.ts';

/** Those that hold files, and not what the kernel says of itself. */
const DISK_TYPES = new Set(['btrfs', 'ext2', 'ext3', 'ext4', 'f2fs', 'overlay', 'tmpfs', 'vfat', 'xfs', 'zfs']);
const MAX_DISKS = 64;

/** Percent of each processor, since it was last asked. */
export function cpuMeter(): () => ResourceFrameCpu[] {
  let before = cpus();
  return () => {
    const now = cpus();
    const usages = now.map(({ times }, index) => {
      const was = before[index]?.times;
      const spans = Object.entries(times).map(([name, ms]) => [name, ms - (was?.[name as keyof typeof was] ?? 0)] as const);
      const all = spans.reduce((sum, [, ms]) => sum + ms, 0);
      const idle = spans.find(([name]) => name === 'idle')?.[1] ?? 0;
      return all > 0 ? Math.min(100, Math.max(0, (100 * (all - idle)) / all)) : 0;
    });
    before = now;
    return usages.map((usage) => create(ResourceFrameCpuSchema, { usage }));
  };
}

export function memory(): ResourceFrameMemory {
  const total = totalmem();
  return create(ResourceFrameMemorySchema, { used: BigInt(total - freemem()), total: BigInt(total) });
}

/** A file system that does not answer holds up the call. */
export async function disks(): Promise<ResourceFrameDisk[]> {
  const frames = (await mounts()).map(async (mount) => {
    const { bsize, blocks, bfree } = await statfs(mount, { bigint: true });
    return create(ResourceFrameDiskSchema, { mount, used: (blocks - bfree) * bsize, total: blocks * bsize });
  });
  return (await Promise.allSettled(frames)).flatMap((frame) => (frame.status === 'fulfilled' ? [frame.value] : []));
}

async function mounts(): Promise<string[]> {
  const text = await readFile('/proc/mounts', 'utf8').catch(() => undefined);
  if (text === undefined) return [process.cwd()];
  const places = text
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type = '']) => DISK_TYPES.has(type))
    .map(([, place = '']) => place.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))));
  return [...new Set(places)].slice(0, MAX_DISKS);
}

export async function networks(): Promise<ResourceFrameNetwork[]> {
  const text = await readFile('/proc/net/dev', 'utf8').catch(() => undefined);
  if (text === undefined) return Object.keys(networkInterfaces()).map((name) => create(ResourceFrameNetworkSchema, { name }));
  return text.split('\n').flatMap((line) => {
    const [, name, counters = ''] = /^\s*(\S+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) return [];
    const [received = '0', , , , , , , , sent = '0'] = counters.split(/\s+/);
    return [create(ResourceFrameNetworkSchema, { name, received: BigInt(received), sent: BigInt(sent) })];
  });
}
