# syntax=docker/dockerfile:1
# The program `soko` in all its parts, and `replay-tool`. PostgreSQL and NATS are
# other containers (docker-compose.yml), named by DATABASE_URL and NATS_URL.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY . .
# The caches keep what was built of the dependencies from one build to the next.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --locked --release --bin soko --bin replay-tool \
    && install --strip -D --target-directory=/out target/release/soko target/release/replay-tool

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/soko soko
COPY --from=build /out/soko /out/replay-tool /usr/local/bin/
COPY LICENSE /usr/share/doc/soko/LICENSE

USER soko
WORKDIR /var/lib/soko
ENV HOST=0.0.0.0 PORT=8080 SOKO_LOG_FORMAT=json
EXPOSE 8080
STOPSIGNAL SIGTERM
# No health check here: only some of the parts serve HTTP. docker-compose.yml has
# one for those.
ENTRYPOINT ["soko"]
CMD ["serve"]
