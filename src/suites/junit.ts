/** JUnit XML, as every test runner writes it a little differently: the test cases are counted, not what is said of them. */
import { XMLParser } from 'fast-xml-parser';
import { excerpt, invalid, type ReportResult } from './suite-counts.ts';

const LISTS: readonly string[] = ['testsuite', 'testcase'];
/** Deeper than any runner nests its suites. */
const DEPTH_MAX = 20;

/** A tag may have hundreds of thousands of others, which take their time. */
const ATTRIBUTES: readonly string[] = ['name', 'classname'];

const parser = new XMLParser({
  ignoreAttributes: (attribute) => !ATTRIBUTES.includes(attribute),
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  isArray: (tag) => LISTS.includes(tag),
});

type Node = Readonly<Record<string, unknown>>;

export function readJunit(text: string): ReportResult {
  // Entities of one's own can make a small document large.
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) return invalid('JUnit XML with a DOCTYPE is not read');
  let root: unknown;
  try {
    root = parser.parse(text, true);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return invalid(`the answer's XML cannot be read: ${excerpt(why)}`);
  }
  if (!isNode(root) || !('testsuites' in root || 'testsuite' in root)) {
    return invalid(`the answer's XML is no JUnit: ${excerpt(text)}`);
  }
  const top = isNode(root['testsuites']) ? root['testsuites'] : root;
  const cases = casesOf(top, 0);
  const skipped = cases.filter((one) => 'skipped' in one).length;
  const failed = cases.filter((one) => !('skipped' in one) && isFailed(one));
  return {
    type: 'ok',
    report: {
      total: cases.length,
      passed: cases.length - skipped - failed.length,
      failed: failed.length,
      skipped,
      failures: failed.map(namesOf),
    },
  };
}

function casesOf(node: Node, depth: number): Node[] {
  const own = nodesIn(node['testcase']);
  if (depth >= DEPTH_MAX) return own;
  return [...own, ...nodesIn(node['testsuite']).flatMap((one) => casesOf(one, depth + 1))];
}

/** An error is a test that could not be finished: it has not passed. */
function isFailed(one: Node): boolean {
  return 'failure' in one || 'error' in one;
}

/** The bare name, and with its class: a pattern may be written for either. */
function namesOf(one: Node): string[] {
  const name = textOf(one['@name']);
  const className = textOf(one['@classname']);
  return className === '' ? [name] : [name, `${className}.${name}`];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function nodesIn(value: unknown): Node[] {
  return Array.isArray(value)
    ? value.filter(isNode).concat(value.filter(isEmpty).map(() => ({})))
    : [];
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An element without attributes and content. */
function isEmpty(value: unknown): boolean {
  return value === '';
}
