# CI plays these stages without an engine (.ci/image) and refuses an instruction it does not know.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY verifier/package.json verifier/
RUN npm ci
COPY . .
RUN npm run build

FROM node:24-bookworm-slim AS production
WORKDIR /app
COPY package.json package-lock.json ./
COPY verifier/package.json verifier/
# What the bundle contains, Prisma's client and Fastify among it, is not installed.
RUN npm ci --omit=dev --omit=optional --omit=peer
COPY --from=build /app/dist dist
COPY --from=build /app/verifier/dist verifier/dist
COPY prisma/migrations prisma/migrations
COPY LICENSE ./

FROM node:24-bookworm-slim
WORKDIR /app
RUN install --directory --owner=node --group=node --mode=700 /var/lib/countersign
COPY --from=production /app ./
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/var/lib/countersign
USER node
VOLUME /var/lib/countersign
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/bin/main.js", "serve"]
