# Each target does all of its own set-up; what it needs from the system is
# installed by scripts/prerequisites where the caller may do that.

export PATH := $(PATH):$(HOME)/.cargo/bin
target := $(or $(CARGO_TARGET_DIR),target)

# What .env says, if there is one.
settings := set -a; [ ! -f .env ] || . ./.env; set +a;

.PHONY: help run test fuzz races soak demo bench lint

help:
	@echo "make run     the whole system on http://localhost:8080"
	@echo "make demo    the same with a lively market in it, and log-ins to try"
	@echo "make test    every test"
	@echo "make fuzz    a hundred thousand hostile requests, and bytes for every parser"
	@echo "make races   each race for the same thing, a thousand times"
	@echo "make soak    ten thousand payments while everything goes wrong"
	@echo "make bench   how fast it is, beside the limits of this machine"
	@echo "make lint    format, lints, licences, unused dependencies"

run:
	@scripts/prerequisites run
	@cargo build --release --bin soko
	@$(settings) exec $(target)/release/soko serve

test:
	@scripts/test

fuzz:
	@scripts/fuzz

races:
	@scripts/races

soak:
	@scripts/soak

demo:
	@scripts/prerequisites run
	@cargo build --release --bin soko
	@$(settings) scripts/demo $(target)/release/soko

bench:
	@scripts/prerequisites test
	@cargo build --release --bin soko --bin soko-bench
	@$(target)/release/soko-bench

lint:
	@scripts/lint
