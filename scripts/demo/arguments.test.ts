/** Flags of the demo: what each means, and the sentence for what is wrong. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parseInvocation, UsageError } from './arguments.ts';

const existing = [
  '--kubeconfig=c',
  '--image=node:24',
  '--gateway=infra/public',
  '--gateway-url=http://10.0.0.1/',
  '--prometheus-url=https://prom.example:9090',
];

test('without flags both runs are carried out on this machine', () => {
  assert.deepEqual(parseInvocation([]), {
    type: 'run',
    flags: {
      runs: [1, 2],
      isShort: false,
      json: undefined,
      keep: false,
      doors: undefined,
      existing: undefined,
    },
  });
});

test('all flags of a cluster of one’s own are taken over', () => {
  const invocation = parseInvocation([
    ...existing,
    '--only=2',
    '--short',
    '--keep',
    '--json',
    'out.json',
  ]);
  assert.deepEqual(invocation, {
    type: 'run',
    flags: {
      runs: [2],
      isShort: true,
      json: 'out.json',
      keep: true,
      doors: undefined,
      existing: {
        kubeconfig: 'c',
        image: 'node:24',
        gateway: { namespace: 'infra', name: 'public' },
        gatewayUrl: 'http://10.0.0.1',
        prometheusUrl: 'https://prom.example:9090',
        scrapeIntervalMs: 15_000,
      },
    },
  });
});

test('--help asks for nothing else', () => {
  assert.deepEqual(parseInvocation(['--help']), { type: 'help' });
});

describe('a mistake is named with its flag, its value and what is allowed', () => {
  const rows: readonly (readonly [readonly string[], RegExp])[] = [
    [['--only', '3'], /^--only 3: there are two runs, 1 .* and 2/],
    [['--fast'], /^Unknown option '--fast'; the flags are --only, .*--scrape-interval$/],
    [['now'], /^Unexpected argument 'now'; the flags are/],
    [['--json'], /^Option '--json <value>' argument missing; the flags are/],
    [['--image', 'node:24'], /^--image is for a cluster of your own and needs --kubeconfig FILE/],
    [['--scrape-interval', '5'], /^--scrape-interval is for a cluster of your own/],
    [
      ['--kubeconfig', 'c', '--image', 'node:24'],
      /^--kubeconfig also needs --gateway, --gateway-url, --prometheus-url/,
    ],
    [[...existing, '--gateway', 'public'], /^--gateway public is not of the form NAMESPACE\/NAME/],
    [[...existing, '--gateway-url', '10.0.0.1:80'], /^--gateway-url 10\.0\.0\.1:80 is not a URL/],
    [[...existing, '--prometheus-url', 'ftp://p'], /^--prometheus-url ftp:\/\/p is not a URL/],
    [
      [...existing, '--scrape-interval', '1m'],
      /^--scrape-interval 1m is not a whole number of seconds from 1 to 300/,
    ],
    [[...existing, '--scrape-interval', '301'], /^--scrape-interval 301 is not a whole number/],
  ];
  for (const [args, sentence] of rows) {
    test(args.slice(-2).join(' '), () => {
      assert.throws(
        () => parseInvocation(args),
        (error: unknown) => {
          assert.ok(error instanceof UsageError);
          assert.match(error.message, sentence);
          return true;
        },
      );
    });
  }
});
