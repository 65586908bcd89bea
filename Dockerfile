# The operator's image: one bundle on a base with Node and nothing else, not even a shell.
#
#   docker buildx build --platform linux/amd64,linux/arm64 -t REGISTRY/genesis-rollout:0.1.0 --push .
#
# The bundle is the same bytes for every architecture, so it is built once, on the builder's own; only the base differs.
# Both bases may be replaced, by digests or by mirrors: --build-arg BASE_IMAGE=…
ARG BUILD_IMAGE=docker.io/library/node:24-bookworm-slim
ARG BASE_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot

FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /src
# Before the sources: a change of these does not fetch the packages again.
COPY package.json package-lock.json .npmrc ./
# No package of ours needs its install script for this, so none is run.
RUN npm ci --ignore-scripts --no-progress
COPY tsconfig.json ./
COPY scripts/build.ts scripts/slim.ts scripts/
COPY src src
RUN npm run build

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="genesis-rollout" \
      org.opencontainers.image.description="A Kubernetes operator for rollouts that last days: scheduled traffic steps, proved triggers, verified rollback." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY LICENSE /licenses/LICENSE
# kubectl-genesis.mjs too: simulate and backtest run in a cluster's own jobs as well.
COPY --from=build /src/dist/controller.mjs /src/dist/kubectl-genesis.mjs /app/
# A number, so that `runAsNonRoot` can be verified.
USER 65532:65532
WORKDIR /app
ENV NODE_ENV=production
# /metrics, and /healthz with /readyz.
EXPOSE 8080 8081
ENTRYPOINT ["/nodejs/bin/node", "/app/controller.mjs"]
