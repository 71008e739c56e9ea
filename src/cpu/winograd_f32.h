/* winograd_f32.h - what winograd_vector.h needs to know where all numbers are f32. */
#define BYTES(type) ((void)(type), sizeof(float))
#define LOAD_X(type, p) ((void)(type), LOAD((const float *)(const void *)(p)))
#define LOAD_X_PART(type, p, n) ((void)(type), LOAD_PART((const float *)(const void *)(p), n))
#define STORE_Y(type, p, v) ((void)(type), STORE((float *)(void *)(p), v))
#define STORE_Y_PART(type, p, v, n) ((void)(type), STORE_PART((float *)(void *)(p), v, n))
#define STREAM_Y(type, p, v) ((void)(type), STREAM((float *)(void *)(p), v))
#define PER_LANE 1
#define STORE_V(v, half, t) ((void)(half), STORE(v, t))
#define MULTIPLY_ADD(v, u, sum) FMA(SET(v), u, sum)
#define SCALE_BIAS(bias, factor) ((void)(factor), bias)
#define ADD_SCALED(x, factor, sum) ((void)(factor), ADD(x, sum))
#define WITH_TYPE(type, DO) \
    do {                    \
        (void)(type);       \
        DO(MR_F32);         \
    } while (0)
