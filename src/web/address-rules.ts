/**
 * Where a URL that somebody wrote into a rollout may lead. Whoever may write rollouts must not be able to make the
 * operator ask what only the operator can reach: its own loopback, and the link-local addresses at which clouds
 * hand out credentials.
 */
import { BlockList, isIP } from 'node:net';

export interface AddressRules {
  /** For tests and demos, where everything runs on one machine. */
  readonly allowLoopback: boolean;
}

type Family = 'ipv4' | 'ipv6';
type Subnet = readonly [address: string, prefix: number, family: Family];

const loopback: readonly Subnet[] = [
  ['127.0.0.0', 8, 'ipv4'],
  ['::1', 128, 'ipv6'],
];

const never: readonly (readonly [kind: string, subnets: readonly Subnet[]])[] = [
  [
    'a link-local address',
    [
      ['169.254.0.0', 16, 'ipv4'],
      ['fe80::', 10, 'ipv6'],
    ],
  ],
  [
    "a cloud's metadata address",
    [
      ['fd00:ec2::254', 128, 'ipv6'],
      ['100.100.100.200', 32, 'ipv4'],
      ['168.63.129.16', 32, 'ipv4'],
      ['192.0.0.192', 32, 'ipv4'],
    ],
  ],
  [
    'no address of one host',
    [
      ['0.0.0.0', 8, 'ipv4'],
      ['224.0.0.0', 3, 'ipv4'],
      ['::', 128, 'ipv6'],
      ['ff00::', 8, 'ipv6'],
    ],
  ],
];

const loopbackList = listOf(loopback);
const neverLists = never.map(([kind, subnets]) => ({ kind, list: listOf(subnets) }));

/** @returns why it may not be asked, as the end of a sentence: "leads to …" */
export function addressProblem(address: string, rules: AddressRules): string | undefined {
  const family: Family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const found = neverLists.find(({ list }) => list.check(address, family));
  if (found !== undefined) return `leads to ${address}, ${found.kind}`;
  if (rules.allowLoopback || !loopbackList.check(address, family)) return undefined;
  return `leads to ${address}, the operator's own loopback, which its setting allowLoopbackUrls does not allow`;
}

/** What can be said of a URL before its name is looked up. */
export function urlProblem(text: string, rules: AddressRules): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL';
  const { protocol, username, password, hostname } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') {
    return `has the scheme ${protocol.slice(0, -1)}; allowed are http and https`;
  }
  if (username !== '' || password !== '')
    return 'contains a user or password, which is not allowed';
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) return addressProblem(host, rules);
  const isOwn = host === 'localhost' || host.endsWith('.localhost');
  return isOwn ? addressProblem('127.0.0.1', rules) : undefined;
}

function listOf(subnets: readonly Subnet[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix, family] of subnets) list.addSubnet(address, prefix, family);
  return list;
}
