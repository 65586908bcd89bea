/** The two architectures that the operator's image is built for, by the names that each trade has for them. */

interface Architecture {
  /** In images, and in Debian's packages. */
  readonly name: 'amd64' | 'arm64';
  /** In Node, and in the npm packages that hold it. */
  readonly node: 'x64' | 'arm64';
  /** In folders of libraries, and in QEMU's programs. */
  readonly machine: 'x86_64' | 'aarch64';
  /** Where a program says that it wants to be loaded from. */
  readonly loader: string;
  /** `e_machine` in the header of a program (elf.h). */
  readonly elfMachine: number;
}

export const architectures: readonly [Architecture, Architecture] = [
  {
    name: 'amd64',
    node: 'x64',
    machine: 'x86_64',
    loader: '/lib64/ld-linux-x86-64.so.2',
    elfMachine: 62,
  },
  {
    name: 'arm64',
    node: 'arm64',
    machine: 'aarch64',
    loader: '/lib/ld-linux-aarch64.so.1',
    elfMachine: 183,
  },
];

const [amd64, arm64] = architectures;

/** This machine's, and the one that it has to emulate. */
export const [ownArchitecture, otherArchitecture] =
  process.arch === arm64.node ? [arm64, amd64] : [amd64, arm64];

export const platforms: readonly string[] = architectures.map(({ name }) => `linux/${name}`);
