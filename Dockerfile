# docker build -t mcp-connect .
# docker run --rm -i mcp-connect proxy --endpoint "http://host.docker.internal:8080/mcp"

FROM node:24-slim AS build
WORKDIR /app
# The manifests first: as long as they stay the same, so do the installed packages.
COPY package.json package-lock.json ./
COPY core/package.json core/
COPY plugins/auth-bearer/package.json plugins/auth-bearer/
COPY plugins/auth-header/package.json plugins/auth-header/
COPY plugins/auth-oauth/package.json plugins/auth-oauth/
COPY plugins/protocol-bridge/package.json plugins/protocol-bridge/
COPY plugins/strategy-fallback/package.json plugins/strategy-fallback/
COPY plugins/strategy-round-robin/package.json plugins/strategy-round-robin/
COPY plugins/transport-http/package.json plugins/transport-http/
COPY plugins/transport-stdio/package.json plugins/transport-stdio/
COPY plugins/transport-tcp/package.json plugins/transport-tcp/
COPY cli/package.json cli/
COPY test/package.json test/
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node .ci/setup.mjs \
 && npm run --workspace cli manifest \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf test .ci docs examples node_modules/@mcp-connect/testing

FROM node:24-slim
ENV NODE_ENV=production
COPY --from=build /app /app
RUN ln -s /app/cli/bin/run.js /usr/local/bin/mcp-connect
USER node
WORKDIR /home/node
# Where MCP_CONNECT_ENDPOINT names a server, the container is as healthy as the way to it. Any failure is a 1: Docker
# keeps 2 for itself.
HEALTHCHECK --interval=60s --timeout=20s \
  CMD [ -z "$MCP_CONNECT_ENDPOINT" ] || mcp-connect test || exit 1
ENTRYPOINT ["mcp-connect"]
