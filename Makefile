# mrcnn: each target is the one command that a fresh clone needs. CMake and Ninja do the work.
#   make PREFIX=/usr install      make CMAKE_FLAGS=-DMRCNN_WITH_CURL=OFF test      make BUILD=out demo
#   make BENCH_FLAGS=--quick bench
BUILD ?= build
PREFIX ?= /usr/local
CMAKE_FLAGS ?=
BENCH_FLAGS ?=

.PHONY: all help deps build demo test bench install format lint sanitize clean
all: build

help:
	@echo "make demo                 install what is missing, build, find cell nuclei, learn for a minute"
	@echo "make test                 the same, then run every test"
	@echo "make bench                the same, then time it beside the machine's limits and other programs"
	@echo "make install [PREFIX=...] library, program, manual, headers, CMake files ... (/usr/local)"
	@echo "make sanitize             run every test under the address and undefined-behaviour sanitizers"
	@echo "make format, make lint    clang-format in place; clang-format and clang-tidy as a check"
	@echo "make clean                remove the build folders"

deps:
	@scripts/deps

build: deps
	@scripts/build "$(BUILD)" -DCMAKE_BUILD_TYPE=Release $(CMAKE_FLAGS)

demo: build
	@"$(BUILD)/mrcnn" demo --out "$(BUILD)/demo"
	@echo; echo "(Until make install has put it on your path, mrcnn is $(BUILD)/mrcnn.)"

test: build
	@ctest --test-dir "$(BUILD)" --parallel 2 --output-on-failure --no-tests=error

bench: build
	@scripts/bench "$(BUILD)" $(BENCH_FLAGS)

# Building is left out when a build is there, so that `sudo make install` compiles nothing as root.
install:
	@test -x "$(BUILD)/mrcnn" || $(MAKE) --no-print-directory build
	@cmake --install "$(BUILD)" --prefix "$(PREFIX)"

format:
	@scripts/lint --fix

lint: deps
	@scripts/lint

sanitize: deps
	@scripts/build build-asan -DMRCNN_SANITIZE=ON $(CMAKE_FLAGS)
	@ctest --test-dir build-asan --parallel 2 --output-on-failure --no-tests=error

clean:
	@cmake -E rm -rf "$(BUILD)" build-asan build-lint
