/* winograd_f32.h - what winograd_vector.h needs to know where all numbers are f32. */
#define NUMBER float
#define LOAD_X(p) LOAD(p)
#define LOAD_X_PART(p, n) LOAD_PART(p, n)
#define STORE_Y(p, v) STORE(p, v)
#define STORE_Y_PART(p, v, n) STORE_PART(p, v, n)
#define STREAM_Y(p, v) STREAM(p, v)
#define PER_LANE 1
#define STORE_V(v, half, t) ((void)(half), STORE(v, t))
#define MULTIPLY_ADD(v, u, sum) FMA(SET(v), u, sum)
