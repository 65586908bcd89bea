/** The version of this program: put in by the build, since a bundle has no package.json beside it. */

declare const GENESIS_VERSION: string | undefined;

export const version = typeof GENESIS_VERSION === 'string' ? GENESIS_VERSION : '0.0.0-source';
