# The operator's image; with `--target emulator`, the emulator's. Each contains one static binary and
# the CA certificates. `image/build` builds it with Docker or BuildKit.
#
#   docker buildx build --platform linux/amd64,linux/arm64 .
#
# Dependabot updates the tag of the base image; a release's provenance contains the digest that was
# used. RUST_VERSION equals the version in rust-toolchain.toml.
ARG RUST_VERSION=1.95.0

FROM --platform=$BUILDPLATFORM docker.io/library/rust:${RUST_VERSION}-slim-bookworm AS tools
# Use the installed toolchain; rust-toolchain.toml would download another one.
ARG RUST_VERSION
ENV RUSTUP_TOOLCHAIN=${RUST_VERSION}
# clang compiles ring's C code for every architecture and rust-lld links it, so no toolchain per
# architecture is needed. The image contains only the certificates of these packages; they are not
# pinned, so that they are current.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates clang \
    && rm -rf /var/lib/apt/lists/*
RUN rustup target add x86_64-unknown-linux-musl aarch64-unknown-linux-musl \
    && cargo install --locked cargo-auditable@0.7.7 cargo-chef@0.1.78
WORKDIR /src

FROM tools AS for-amd64
ENV CARGO_BUILD_TARGET=x86_64-unknown-linux-musl \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld \
    CC_x86_64_unknown_linux_musl=clang

FROM tools AS for-arm64
ENV CARGO_BUILD_TARGET=aarch64-unknown-linux-musl \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld \
    CC_aarch64_unknown_linux_musl=clang

# The recipe of the dependencies, which changes only with the manifests.
FROM tools AS recipe
COPY . .
RUN cargo chef prepare --recipe-path /recipe.json

# One of the two stages above.
# hadolint ignore=DL3006
FROM for-${TARGETARCH} AS dependencies
WORKDIR /src
COPY --from=recipe /recipe.json /recipe.json

# No stage uses SOURCE_DATE_EPOCH, which is for BuildKit: no binary contains a time, and with another
# value cargo would rebuild all crates with C code and their dependents.
FROM dependencies AS build-operator
WORKDIR /src
RUN cargo chef cook --release --locked --recipe-path /recipe.json --package index-restore-operator --bin index-restore-operator
COPY . .
ARG REVISION=unknown
RUN INDEX_RESTORE_REVISION="${REVISION}" cargo auditable build --release --locked --package index-restore-operator --bin index-restore-operator \
    && cp "target/${CARGO_BUILD_TARGET}/release/index-restore-operator" /index-restore-operator \
    && touch --date=@0 /index-restore-operator

FROM dependencies AS build-emulator
WORKDIR /src
RUN cargo chef cook --release --locked --recipe-path /recipe.json --package pinecone-emulator --bin pinecone-emulator
COPY . .
RUN cargo auditable build --release --locked --package pinecone-emulator --bin pinecone-emulator \
    && cp "target/${CARGO_BUILD_TARGET}/release/pinecone-emulator" /pinecone-emulator \
    && touch --date=@0 /pinecone-emulator

# All files have the time 0, so that a cached layer equals a new one.
FROM tools AS trusted
RUN install -D --mode=644 /etc/ssl/certs/ca-certificates.crt /trusted/etc/ssl/certs/ca-certificates.crt \
    && find /trusted -exec touch --date=@0 {} +

FROM scratch AS certificates
COPY --from=trusted /trusted /
# A numeric user: there is no /etc/passwd, and Kubernetes can verify that it is not root.
USER 65532:65532
ARG SOURCE=unknown
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

FROM certificates AS emulator
COPY --from=build-emulator /pinecone-emulator /pinecone-emulator
LABEL org.opencontainers.image.title="pinecone-emulator" \
      org.opencontainers.image.description="Pinecone's control plane for backups, restore jobs and indexes, in memory, for trying things"
ENV PINECONE_EMULATOR_LISTEN=0.0.0.0:5080
EXPOSE 5080
ENTRYPOINT ["/pinecone-emulator"]

FROM certificates AS operator
COPY --from=build-operator /index-restore-operator /index-restore-operator
LABEL org.opencontainers.image.title="index-restore-operator" \
      org.opencontainers.image.description="Restores Pinecone indexes from backups, declaratively and exactly once"
EXPOSE 8080
ENTRYPOINT ["/index-restore-operator"]
CMD ["run"]
