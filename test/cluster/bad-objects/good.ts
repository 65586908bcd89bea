/** Good objects with something of everything, which the bad ones are patches of. */

const ratio = {
  bad: 'sum(rate(requests_total{service="$(arm.service)",code=~"5.."}[1m]))',
  total: 'sum(rate(requests_total{service="$(arm.service)"}[1m]))',
};

export const goodRollout = {
  apiVersion: 'genesis.dev/v1alpha1',
  kind: 'GenesisRollout',
  metadata: { name: 'checkout', namespace: 'shop' },
  spec: {
    revision: 'v2',
    paused: false,
    traffic: {
      stable: { service: 'checkout-stable', port: 80 },
      canary: { service: 'checkout-canary', port: 80 },
      routes: [
        { kind: 'HTTPRoute', name: 'checkout' },
        {
          kind: 'GRPCRoute',
          name: 'checkout',
          generate: { parentRefs: [{ name: 'gateway' }], hostnames: ['a.example'] },
        },
      ],
      featureFlag: {
        configMap: 'flags',
        key: 'flags.json',
        format: 'Flagd',
        flag: 'checkout-v2',
        restart: [{ kind: 'Deployment', name: 'worker' }],
      },
    },
    schedule: {
      steps: [
        { name: 'dark', at: '0h', weight: 0 },
        { name: 'half', at: '6h', weight: 50 },
        {
          name: 'full',
          at: '30h',
          weight: 100,
          approval: { quorum: 2, notBy: 'Author', expiresAfter: '12h', onExpiry: 'Hold' },
        },
      ],
      checkpoints: [
        { name: 'day-one', at: '24h', require: ['SuccessCriteria'], onFailure: 'Hold' },
      ],
      end: '48h',
      freeze: [
        {
          name: 'weekend',
          cron: '0 18 * * 5',
          duration: '62h',
          timeZone: 'Europe/Berlin',
          reason: 'nobody is there',
        },
      ],
    },
    analysis: {
      interval: '15s',
      offset: '0s',
      prometheus: {
        url: 'http://prometheus.monitoring:9090',
        headers: [{ name: 'X-Scope-OrgID', value: 'shop' }],
        basicAuth: {
          username: { name: 'prometheus', key: 'user' },
          password: { name: 'prometheus', key: 'password' },
        },
        tls: { ca: { name: 'prometheus', key: 'ca.crt' } },
      },
      metrics: [
        { name: 'error-rate', ratio },
        {
          name: 'latency',
          query: 'latency_seconds{service="$(arm.service)"}',
          series: { rollout: '$(rollout)' },
        },
      ],
    },
    triggers: [
      {
        name: 'error-rate',
        severity: 'Critical',
        metric: 'error-rate',
        condition: '> 0.5%',
        for: '5m',
        noData: 'Hold',
        judge: 'Sequential',
        compareWithStable: { holdFor: '10m' },
      },
      {
        name: 'latency',
        severity: 'Warning',
        metric: 'latency',
        condition: '> 500ms',
        for: '10m',
        onFiring: [
          { action: 'Hold' },
          { action: 'RunSuite', suite: 'smoke' },
          { action: 'Rollback', when: 'NewFailures', after: '10m' },
        ],
        respondWithin: '30m',
        responder: 'on-call',
        runbookUrl: 'https://runbooks.example/latency',
      },
      {
        name: 'down',
        severity: 'Critical',
        probe: { url: 'http://checkout-canary.shop:80/health' },
        condition: '== 0',
        for: '2m',
      },
      {
        name: 'pass-rate',
        severity: 'Critical',
        suite: 'smoke',
        measure: 'PassRate',
        condition: '< 95%',
        for: '10m',
      },
      {
        name: 'alerts',
        severity: 'Critical',
        alerts: { matchers: ['severity="critical"', 'namespace="$(namespace)"'] },
        condition: '> 0',
        for: '5m',
      },
    ],
    canaryDown: { for: '2m', action: 'Rollback' },
    healthSuites: [
      {
        name: 'smoke',
        interval: '5m',
        timeout: '4m',
        http: { url: 'http://smoke.shop:8080/run' },
        knownFlaky: ['^test_network_'],
      },
    ],
    success: {
      criteria: [
        { name: 'error-rate', metric: 'error-rate', condition: '< 0.1%' },
        { name: 'pass-rate', suite: 'smoke', condition: '>= 98%', for: '15m' },
      ],
      require: ['NoCriticalTriggers'],
      onFailure: 'Extend',
      extendBy: '48h',
      maxExtensions: 1,
      thenMonitorFor: '24h',
    },
    preflight: {
      policy: 'Require',
      alertRules: ['CheckoutDown'],
      dashboards: [{ uid: 'checkout' }],
      targets: [{ job: 'checkout' }],
      backtest: { window: '336h', maxFirings: 0 },
    },
    rollback: {
      sla: '15m',
      stages: { stopTraffic: '1m' },
      healthSuite: 'smoke',
      health: { url: 'http://checkout-stable.shop:80/health' },
      baseline: [{ name: 'error-rate', metric: 'error-rate', condition: '< 0.1%' }],
      hooks: [{ stage: 'Restore', jobTemplate: { spec: { template: {} } } }],
    },
    snapshots: { interval: '5m', keepRuns: 3 },
    notify: [
      { channel: 'slack', events: ['StepEntered', 'RollbackStarted'], minSeverity: 'Warning' },
    ],
    onNewRevision: 'Restart',
    deletionPolicy: 'RestoreStable',
    historyLimit: 10,
  },
};

export const goodDecision = {
  apiVersion: 'genesis.dev/v1alpha1',
  kind: 'GenesisDecision',
  metadata: { name: 'checkout-full', namespace: 'shop' },
  spec: {
    rollout: 'checkout',
    revision: 'v2',
    decision: 'Approve',
    step: 'full',
    by: 'alice@example.com',
    reason: 'dashboards are clean',
    expiresAt: '2026-11-22T04:10:00Z',
  },
};
