# mrcnn: make demo, make test, make bench, make install. CMake and Ninja do the work.
BUILD ?= build
.PHONY: all deps build test demo bench install format lint clean
all: build
deps:
	@scripts/deps
build:
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release $(CMAKE_FLAGS) >/dev/null
	@cmake --build $(BUILD)
test: deps build
	@ctest --test-dir $(BUILD) --output-on-failure
clean:
	@rm -rf build build-*
