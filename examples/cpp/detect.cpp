/* detect.cpp - two pictures at a time: one model, shared, and a session for each of two threads.
 *
 *     detect WEIGHTS.h5 PICTURE...
 *
 * A model never changes once it is made, so any number of sessions may use it; its packed weights
 * are in memory once. A session belongs to one thread at a time. */
#include <mrcnn/mrcnn.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

/* The library's handles as owners. Each _free takes the pointer's address. */
template <typename T, void (*Free)(T **)> struct Deleter {
    void operator()(T *handle) const {
        Free(&handle);
    }
};
using Model = std::unique_ptr<mrcnn_model, Deleter<mrcnn_model, mrcnn_model_free>>;
using Session = std::unique_ptr<mrcnn_session, Deleter<mrcnn_session, mrcnn_session_free>>;
using Result = std::unique_ptr<mrcnn_result, Deleter<mrcnn_result, mrcnn_result_free>>;

/* A picture is a plain struct that owns its pixels. */
struct Picture {
    mrcnn_image image{};
    Picture() = default;
    Picture(const Picture &) = delete;
    Picture &operator=(const Picture &) = delete;
    ~Picture() {
        mrcnn_image_free(&image);
    }
};

/* Errors are values in C; here they become exceptions that carry the library's sentence. */
class Check {
  public:
    operator mrcnn_error *() {
        return &error;
    }
    void operator()(mrcnn_status status) const {
        if (status != MRCNN_OK) throw std::runtime_error(error.message);
    }

  private:
    mrcnn_error error = MRCNN_ERROR_INIT;
};

Model load_model(const char *path) {
    Check check;
    mrcnn_model *model = nullptr;
    check(mrcnn_model_load(&model, path, nullptr, check));
    return Model(model);
}

Session open_session(mrcnn_model *model, int threads) {
    Check check;
    mrcnn_session_options options = mrcnn_session_options_default();
    options.threads = threads;
    mrcnn_session *session = nullptr;
    check(mrcnn_session_create(&session, model, &options, check));
    return Session(session);
}

Result detect(mrcnn_session *session, const char *path) {
    Check check;
    Picture picture;
    check(mrcnn_image_read(&picture.image, path, nullptr, check));
    mrcnn_result *result = nullptr;
    check(mrcnn_detect(session, &picture.image, 1, &result, check));
    return Result(result);
}

/* Pictures are taken from the list by whichever thread is free; lines come out whole. */
class Queue {
  public:
    Queue(char **paths, int count) : paths(paths, paths + count) {
    }

    void work(mrcnn_model *model) {
        try {
            const Session session = open_session(model, 1);
            for (std::size_t i = next++; i < paths.size(); i = next++) {
                const Result result = detect(session.get(), paths[i]);
                const std::lock_guard<std::mutex> lock(output);
                std::printf("%s: %zu objects\n", paths[i], result->count);
                for (std::size_t k = 0; k < result->count; k++) {
                    const mrcnn_instance &it = result->instances[k];
                    std::printf("    %s %.3f\n", it.class_name, it.score);
                }
            }
        } catch (const std::exception &problem) {
            const std::lock_guard<std::mutex> lock(output);
            std::fprintf(stderr, "%s\n", problem.what());
            failed = true;
        }
    }

    bool failed = false;

  private:
    std::vector<const char *> paths;
    std::atomic<std::size_t> next{0};
    std::mutex output;
};

} // namespace

int main(int argc, char **argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: %s WEIGHTS.h5 PICTURE...\n", argv[0]);
        return 2;
    }
    try {
        const Model model = load_model(argv[1]);
        Queue queue(argv + 2, argc - 2);
        std::thread other([&] { queue.work(model.get()); });
        queue.work(model.get());
        other.join();
        return queue.failed ? 1 : 0;
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}
