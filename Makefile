# `make` says what there is. Every target does the set-up that it needs.

.DEFAULT_GOAL := help
.PHONY: help setup build install demo demo-down test simulate fuzz fuzz-blueprints soak kill bench format lint clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

setup: ## install what building and the demo need (asks for root only where a package is missing)
	@scripts/system-packages.sh build demo
	@scripts/swift-packages.sh

build: ## build the product: .build/release/microstax
	@scripts/system-packages.sh build
	@scripts/swift-packages.sh
	swift build -c release --product microstax

install: ## install what was built, with units for systemd: PREFIX=/usr/local DESTDIR= (see docs/operating.md)
	@scripts/install.sh

demo: ## show the product's main job on a real shop, from nothing
	@scripts/demo.sh

demo-down: ## remove everything that the demo left running
	@scripts/demo-down.sh

test: ## run every test of the fast tier
	@scripts/test.sh

simulate: ## run 12,000 seeded random histories with faults and crashes (MICROSTAX_SIMULATE_SEED=n repeats one)
	@scripts/simulate.sh

fuzz: ## feed the gateway random and mutated bytes, with an oracle (FUZZ_SECONDS=600; MICROSTAX_FUZZ_CASE=clients:42 repeats one)
	@FUZZ_SECONDS="$(FUZZ_SECONDS)" SEED="$(SEED)" scripts/fuzz.sh

fuzz-blueprints: ## feed random and mutated Blueprints and Compose files to all that reads them (FUZZ_SECONDS=600; MICROSTAX_FUZZ_CASE=blueprints:42 repeats one)
	@FUZZ_OF=blueprints FUZZ_SECONDS="$(FUZZ_SECONDS)" SEED="$(SEED)" scripts/fuzz.sh

soak: ## an hour of mixed traffic, ten tables a second, services killed: nothing wrong, lost or doubled (SOAK_SECONDS=60 tries it)
	@SOAK_SECONDS="$(SOAK_SECONDS)" SEED="$(SEED)" scripts/soak.sh

kill: ## kill the real program at every checkpoint, and services under load (KILLS=20 LOAD_SECONDS=20 tries it)
	@KILLS="$(KILLS)" LOAD_SECONDS="$(LOAD_SECONDS)" SEED="$(SEED)" scripts/kill.sh

bench: ## measure against nginx, HAProxy and Envoy; writes docs/performance.md (about 8 minutes)
	@scripts/bench.sh

format: ## format the Swift sources
	swift format -i -r Sources Tests Package.swift

lint: ## check the format of the Swift sources, and the shell scripts
	@scripts/system-packages.sh lint
	swift format lint --strict -r Sources Tests Package.swift
	shellcheck -x scripts/*.sh .ci/run

clean: ## remove what was built
	rm -rf .build
