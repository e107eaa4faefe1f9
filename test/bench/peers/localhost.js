/**
 * For Node's `--import`: names below `localhost` are this machine (RFC 6761 §6.3), which not every system's resolver knows.
 */
import dns from 'node:dns';

const { lookup } = dns;
dns.lookup = (name, ...rest) => lookup(String(name).endsWith('.localhost') ? '127.0.0.1' : name, ...rest);
