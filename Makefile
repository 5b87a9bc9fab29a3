# SPDX-License-Identifier: Apache-2.0
# The verbs. Meson builds (meson.build), tools/ holds what is longer than a line, everything made goes to build/.
#   VARIANT  debug (default), release, asan, tsan, valgrind or cover: each has its folder, build/VARIANT
#   T        make test T=wal: only tests with that in their name
#   SEED     make sim SEED=7: one run from that seed; MINUTES=5: fresh seeds for so long
#   F        make fuzz F=record MINUTES=5
#   PATCH    make planted PATCH=sync-left-out: only that bug
#   BY       make planted BY=sim/cuts: which of the bugs that one test catches by itself
#   PARTS    make torture PARTS='kill rot' ROUNDS=1000: only these, so many rounds; FULL=1: all there is
#   PREFIX   make install PREFIX=/usr DESTDIR=/some/root
VARIANT ?= debug
PREFIX ?= /usr/local
DESTDIR ?=
MINUTES ?=
T ?=
PARTS ?=
F ?=
PATCH ?=
export JOBS ?= $(shell nproc)

.DEFAULT_GOAL := build
.PHONY: help setup build test quality fmt sim planted torture bench bench-truth run install clean fuzz cover

help: ## these lines
	@sed -n 's/^#   /  /p' Makefile
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup: ## install what is missing on a Debian machine, developer's tools included
	@tools/setup all

build: ## compile everything into build/VARIANT
	@tools/setup build
	@tools/configure $(VARIANT)
	@ninja -C build/$(VARIANT) -j $(JOBS)

test: ## all tests; the last line says how many passed and failed
	@tools/setup build
	@tools/test $(VARIANT) $(T)

quality: ## every gate: format, both compilers, analyzers, layers, API, duplicates, words, docs
	@tools/setup all
	@tools/quality

fmt: ## lay out the sources as `make quality` wants them
	@tools/sources | xargs -r clang-format -i

sim: ## crash and property suites from fresh random seeds
	@tools/setup build
	@SEED="$(SEED)" MINUTES="$(MINUTES)" tools/sim $(VARIANT)

planted: ## plant the bugs of tests/planted one by one: the tests must catch each
	@tools/setup build
	@tools/planted $(if $(BY),--by $(BY)) $(PATCH)

torture: ## real faults on the real binary: kill -9, power cuts (root), failing calls, damaged files; FULL=1: for hours
	@tools/setup all
	@tools/torture $(PARTS)

bench: ## measure the release build
	@tools/setup all
	@tools/configure bench
	@ninja -C build/bench -j $(JOBS) --quiet
	@STEME=$(CURDIR)/build/bench/src/faces/steme bench/run build/bench

bench-truth: ## every lens on public sets with known truth (STEME_SHARED_DATA), beside published figures
	@tools/setup build
	@tools/configure release
	@ninja -C build/release -j $(JOBS) --quiet src/faces/steme
	@STEME=$(CURDIR)/build/release/src/faces/steme bench/truth --json build/bench-truth.json

run: ## the demonstration, on a release build
	@tools/setup build
	@tools/configure release
	@ninja -C build/release -j $(JOBS) --quiet src/faces/steme
	@examples/demo/run.sh $(CURDIR)/build/release/src/faces/steme

install: ## program, libraries, headers, pkg-config file, manual page and what it points to, completion
	@tools/setup build
	@tools/install "$(PREFIX)" "$(DESTDIR)"

fuzz: ## fuzz one parser with libFuzzer and sanitizers
	@tools/setup all
	@tools/fuzz "$(F)" $(or $(MINUTES),1)

cover: ## branch coverage of src/spine and src/model: at least 90 %
	@tools/setup all
	@tools/cover

clean: ## remove build/
	rm -rf build
