# The images of Drydock: docker build --target job-controller (or scanner-worker, or demo) .
# docs/compose.md tells more. Releases pin NODE_IMAGE by its digest.

ARG NODE_IMAGE=node:24-bookworm-slim

# What npm needs to know, and nothing that changes with the code: the packages below stay in the cache until these files change.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY .npmrc package.json package-lock.json ./
COPY bench/package.json bench/
COPY demo/package.json demo/
COPY services/job-controller/package.json services/job-controller/
COPY services/scanner-worker/package.json services/scanner-worker/
COPY shared/package.json shared/
COPY test/package.json test/

FROM manifests AS job-controller-packages
RUN npm ci --omit=dev --ignore-scripts --include-workspace-root=false --workspace=shared --workspace=services/job-controller

FROM manifests AS scanner-worker-packages
RUN npm ci --omit=dev --ignore-scripts --include-workspace-root=false --workspace=shared --workspace=services/scanner-worker

FROM manifests AS demo-packages
RUN npm ci --omit=dev --ignore-scripts --include-workspace-root=false --workspace=shared --workspace=demo

FROM ${NODE_IMAGE} AS base
ENV NODE_ENV=production
WORKDIR /app
COPY LICENSE ./
COPY shared/ shared/
USER 1000:1000
STOPSIGNAL SIGTERM
LABEL org.opencontainers.image.licenses=Apache-2.0

FROM base AS job-controller
LABEL org.opencontainers.image.title="Drydock job-controller"
COPY --from=job-controller-packages /app/node_modules/ node_modules/
COPY services/job-controller/ services/job-controller/
ENV DRYDOCK_LISTEN=0.0.0.0:50051 DRYDOCK_HTTP_LISTEN=0.0.0.0:8090 DRYDOCK_OPS_LISTEN=0.0.0.0:9464
EXPOSE 50051 8090 9464
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s \
  CMD ["node", "shared/src/healthcheck/main.ts", "grpc://127.0.0.1:50051"]
ENTRYPOINT ["node", "--max-semi-space-size=16", "--max-old-space-size-percentage=75", "services/job-controller/src/main.ts"]

FROM base AS scanner-worker
LABEL org.opencontainers.image.title="Drydock scanner-worker"
COPY --from=scanner-worker-packages /app/node_modules/ node_modules/
COPY services/scanner-worker/ services/scanner-worker/
ENV DRYDOCK_OPS_LISTEN=0.0.0.0:9465
EXPOSE 9465
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "shared/src/healthcheck/main.ts", "http://127.0.0.1:9465/readyz"]
ENTRYPOINT ["node", "--max-semi-space-size=4", "--heap-growing-percent=20", "--max-old-space-size-percentage=75", "services/scanner-worker/src/main.ts"]

# The parts of compose.yaml's demo that are Drydock's own; a command says which.
FROM base AS demo
LABEL org.opencontainers.image.title="Drydock demo"
USER root
RUN install --directory --owner=1000 --group=1000 /data
USER 1000:1000
COPY --from=demo-packages /app/node_modules/ node_modules/
COPY demo/ demo/
ENTRYPOINT ["node"]
