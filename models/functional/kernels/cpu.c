/* The neuron's steps over blocks that stay in the first-level cache: one pass over the input runs all T.

       w_t = u_t / V_t - z_t;   l_t = level(w_t);   s_t = V_t * (l_t + z_t);   u_(t+1) = d * (u_t - s_t) + x_(t+1)

   The formulas of the gradients are in fire.py, frames.py and levels.py. Arithmetic is float32, storage float32
   or bfloat16. Every product is rounded before it is added (-ffp-contract=off), so that the values are those of the
   reference, bit for bit. Each block leaves its sums in a place of its own, and one thread adds the blocks up in
   order: neither the number of threads nor their timing changes a result.

   Layout: x, g, y and dx are dense. A constant input has `count` elements; a framed one `steps` times as many,
   step after step. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 1024          /* elements: six float buffers of it fit in the first-level cache */
#define SERIAL_BELOW 16384  /* elements: less work than waking threads costs */

enum kind { UNSIGNED, UNSIGNED_BINARY, SIGNED, SIGNED_BINARY };


typedef struct {
    float step_size, shift, low, high;       /* V, z and the range of levels */
    float inside_low, inside_high;           /* the floats just outside the range */
    double growth, scale;                    /* of dB and dV: see levels.py */
    int32_t kind;
} step_plan;

typedef struct {
    int64_t count;      /* elements of one step's input */
    int32_t steps;      /* T */
    int32_t framed;     /* whether each step has an input and an output of its own */
    int32_t half;       /* whether storage is bfloat16 */
    int32_t threads;
    int32_t all;        /* whether shifts or the leak learn, and so all sums are needed */
    int32_t longest;    /* entries of the per-step gradients, at least `steps` */
    float leak;         /* d */
} neuron_plan;

typedef struct { double error, above, below, leak, divisor; } step_sums;

#define INLINE static inline __attribute__((always_inline))

/* The greatest float below 1/2: adding 1/2 itself would carry the float just below 1/2 up to 1. */
static const float HALF_BELOW = 0x1.fffffep-2f;

INLINE float clipped(float level, float low, float high) {
    float raised = low > level ? low : level;  /* in this order NaN stays, and each line is one instruction */
    return high < raised ? high : raised;
}

INLINE float level_of(float w, int kind, float low, float high) {
    switch (kind) {
    case UNSIGNED: return clipped(floorf(w + HALF_BELOW), low, high);
    case UNSIGNED_BINARY: return w > 0.5f ? 1.0f : 0.0f;
    case SIGNED: return clipped(truncf(w + copysignf(HALF_BELOW, w)), low, high);
    default: return w > 0.0f ? 1.0f : -1.0f;
    }
}

INLINE float from_half(uint16_t bits) {
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

INLINE uint16_t to_half(float value) {  /* nearest, ties to even */
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    return value != value ? 0x7fc0 : (uint16_t)rounded;
}

/* A block of storage as floats: in place, or widened into `buffer`. */
static const float *load(const void *storage, int64_t at, int size, int half, float *buffer) {
    if (!half) return (const float *)storage + at;
    const uint16_t *narrow = (const uint16_t *)storage + at;
#pragma omp simd
    for (int i = 0; i < size; i++) buffer[i] = from_half(narrow[i]);
    return buffer;
}

/* Where a block of results is made: in place, or in `buffer` until `store` narrows it. */
static float *place(void *storage, int64_t at, int half, float *buffer) {
    return half ? buffer : (float *)storage + at;
}

static void store(void *storage, int64_t at, int size, int half, const float *buffer) {
    if (!half) return;
    uint16_t *narrow = (uint16_t *)storage + at;
#pragma omp simd
    for (int i = 0; i < size; i++) narrow[i] = to_half(buffer[i]);
}

/* One step over one block. `u` holds u_t - s_t of the step before where this is not the first, and of this one
   after; the spikes are added to `s`, or put there by the first step. */
INLINE void advance(const float *x, float *u, float *s, int size, step_plan step, float leak, int first, int kind) {
#pragma omp simd
    for (int i = 0; i < size; i++) {
        float potential = first ? x[i] : x[i] + u[i] * leak;
        float w = potential / step.step_size - step.shift;
        float spike = (level_of(w, kind, step.low, step.high) + step.shift) * step.step_size;
        u[i] = potential - spike;
        s[i] = first ? spike : s[i] + spike;
    }
}

/* The same with gradients: dx gets or adds du; `g` is the gradient that reaches the spikes. */
INLINE step_sums derive(const float *x, const float *g, float *u, float *dx, int size, step_plan step, float leak,
                        int first, int kind, int all) {
    float error = 0, above = 0, below = 0, leaked = 0, divisor = 0;
#pragma omp simd reduction(+ : error, above, below, leaked, divisor)
    for (int i = 0; i < size; i++) {
        float reaching = g[i];
        float rest = first ? 0.0f : u[i];
        float potential = first ? x[i] : x[i] + rest * leak;
        float w = potential / step.step_size - step.shift;
        float level = level_of(w, kind, step.low, step.high);
        float spike = (level + step.shift) * step.step_size;
        float du = (w > step.inside_low) & (w < step.inside_high) ? reaching : 0.0f;
        error += (level - w) * du;
        above += w > step.high ? reaching : 0.0f;
        if (all || kind >= SIGNED) below += w <= step.inside_low ? reaching : 0.0f;
        if (all && !first) leaked += rest * du;
        divisor += reaching * spike;
        u[i] = potential - spike;
        dx[i] = first ? du : dx[i] + du;
    }
    return (step_sums){error, above, below, leaked, divisor};
}

#define BY_KIND(CALL)                                                         \
    switch (step.kind) {                                                      \
    case UNSIGNED: CALL(UNSIGNED); break;                                     \
    case UNSIGNED_BINARY: CALL(UNSIGNED_BINARY); break;                       \
    case SIGNED: CALL(SIGNED); break;                                         \
    default: CALL(SIGNED_BINARY); break;                                      \
    }

static void forward_step(const float *x, float *u, float *s, int size, step_plan step, float leak, int first) {
#define CALL(KIND)                                                            \
    if (first) advance(x, u, s, size, step, leak, 1, KIND);                   \
    else advance(x, u, s, size, step, leak, 0, KIND)
    BY_KIND(CALL)
#undef CALL
}

static step_sums backward_step(const float *x, const float *g, float *u, float *dx, int size, step_plan step,
                               float leak, int first, int all) {
    step_sums sums;
#define DERIVE(FIRST, KIND, ALL) sums = derive(x, g, u, dx, size, step, leak, FIRST, KIND, ALL)
#define CALL(KIND)                                                            \
    if (all && first) DERIVE(1, KIND, 1);                                     \
    else if (all) DERIVE(0, KIND, 1);                                         \
    else if (first) DERIVE(1, KIND, 0);                                       \
    else DERIVE(0, KIND, 0)
    BY_KIND(CALL)
#undef CALL
#undef DERIVE
    return sums;
}

/* Multiplying by the inverse of a power of two is dividing, and several times as fast. */
INLINE void divide(const float *values, float *quotients, int size, int divisor) {
    float whole = (float)divisor, inverse = 1.0f / whole;
    if (!(divisor & (divisor - 1))) {
#pragma omp simd
        for (int i = 0; i < size; i++) quotients[i] = values[i] * inverse;
        return;
    }
#pragma omp simd
    for (int i = 0; i < size; i++) quotients[i] = values[i] / whole;
}

/* The usual neuron forward: a few steps of one kind over a constant input, no shift and no leak. What `advance` stores
   and loads again for each step stays in registers here; the values are the same. */
#define MOST_AT_ONCE 4

INLINE void advance_at_once(const float *restrict x, float *restrict y, int size, const step_plan *restrict steps,
                            int T, int kind) {
    const float whole = (float)T, inverse = 1.0f / whole;
#pragma omp simd
    for (int i = 0; i < size; i++) {
        float potential = x[i], total = 0.0f;
#define STEP(t)                                                                                             \
        if (T > t) {                                                                                        \
            float w = potential / steps[t].step_size;                                                       \
            float spike = level_of(w, kind, steps[t].low, steps[t].high) * steps[t].step_size;              \
            potential = x[i] + (potential - spike);                                                         \
            total = t ? total + spike : spike;                                                              \
        }
        STEP(0) STEP(1) STEP(2) STEP(3)
#undef STEP
        y[i] = T == 1 ? total : T & (T - 1) ? total / whole : total * inverse;
    }
}

static void forward_at_once(const float *x, float *y, int size, const step_plan *steps, int T) {
#define CALL(T) advance_at_once(x, y, size, steps, T, kind)
#define BY_COUNT switch (T) { case 1: CALL(1); break; case 2: CALL(2); break; case 3: CALL(3); break; default: CALL(4); }
    if (steps->kind == SIGNED) { enum { kind = SIGNED }; BY_COUNT }
    else { enum { kind = UNSIGNED }; BY_COUNT }
#undef BY_COUNT
#undef CALL
}

static int goes_at_once(const neuron_plan *plan, const step_plan *steps) {
    int usual = !plan->framed && plan->leak == 1.0f && plan->steps <= MOST_AT_ONCE;
    usual = usual && (steps->kind == UNSIGNED || steps->kind == SIGNED);
    for (int t = 0; usual && t < plan->steps; t++) usual = steps[t].kind == steps->kind && steps[t].shift == 0.0f;
    return usual;
}

/* Frames have places of their own, so their spikes (and du) are added to zeros. */
static float *start(void *storage, int64_t at, int size, const neuron_plan *plan, float *buffer) {
    float *output = place(storage, at, plan->half, buffer);
    if (plan->framed) memset(output, 0, (size_t)size * sizeof *output);
    return output;
}

static void forward_block(const neuron_plan *plan, const step_plan *steps, const void *x, void *y, int64_t at,
                          int size) {
    float wide[BLOCK], u[BLOCK], made[BLOCK];
    const float *input = NULL;
    float *output = NULL;
    if (goes_at_once(plan, steps)) {
        output = place(y, at, plan->half, made);
        forward_at_once(load(x, at, size, plan->half, wide), output, size, steps, plan->steps);
        store(y, at, size, plan->half, output);
        return;
    }
    for (int t = 0; t < plan->steps; t++) {
        int64_t here = plan->framed ? t * plan->count + at : at;
        if (plan->framed || !t) {
            input = load(x, here, size, plan->half, wide);
            output = start(y, here, size, plan, made);
        }
        forward_step(input, u, output, size, steps[t], plan->leak, !t);
        if (plan->framed) store(y, here, size, plan->half, output);
    }
    if (plan->framed) return;
    if (plan->steps > 1) divide(output, output, size, plan->steps);
    store(y, at, size, plan->half, output);
}

static void backward_block(const neuron_plan *plan, const step_plan *steps, const void *x, const void *g, void *dx,
                           int64_t at, int size, step_sums *sums) {
    float wide[BLOCK], wide_g[BLOCK], u[BLOCK], made[BLOCK];
    const float *input = NULL, *grad = NULL;
    float *output = NULL;
    for (int t = 0; t < plan->steps; t++) {
        int64_t here = plan->framed ? t * plan->count + at : at;
        if (plan->framed || !t) {
            input = load(x, here, size, plan->half, wide);
            grad = load(g, here, size, plan->half, wide_g);
            output = start(dx, here, size, plan, made);
        }
        if (!plan->framed && !t && plan->steps > 1) {
            divide(grad, wide_g, size, plan->steps);
            grad = wide_g;
        }
        sums[t] = backward_step(input, grad, u, output, size, steps[t], plan->leak, !t, plan->all);
        if (plan->framed) store(dx, here, size, plan->half, output);
    }
    if (!plan->framed) store(dx, at, size, plan->half, output);
}

/* The gradients of the neuron's tensors, from the sums of all blocks in order: `found` has dV, dB and dz of every
   entry (`longest` each), then dT and dd. With E the part outside the range (above it alone when unsigned):
       dV = k (error + Q E + z (above + below));   dB = growth V E;   dz = V (above + below);   dT = -divisor / T */
static void finish(const neuron_plan *plan, const step_plan *steps, const step_sums *sums, int64_t blocks,
                   float *found) {
    int longest = plan->longest;
    double leaked = 0, divisor = 0;
    for (int t = 0; t < plan->steps; t++) {
        step_plan step = steps[t];
        step_sums total = {0, 0, 0, 0, 0};
        for (int64_t block = 0; block < blocks; block++) {
            const step_sums *part = sums + block * plan->steps + t;
            total.error += part->error;
            total.above += part->above;
            total.below += part->below;
            total.leak += part->leak;
            total.divisor += part->divisor;
        }
        double outside = step.kind >= SIGNED ? total.above - total.below : total.above;
        double all = total.above + total.below;
        found[t] = (float)(step.scale * (total.error + step.high * outside + step.shift * all));
        found[longest + t] = (float)(step.growth * step.step_size * outside);
        found[2 * longest + t] = (float)(step.step_size * all);
        leaked += total.leak;
        divisor += total.divisor;
    }
    found[3 * longest] = (float)(-divisor / plan->steps);
    found[3 * longest + 1] = (float)leaked;
}

static int size_at(const neuron_plan *plan, int64_t at) {
    return plan->count - at < BLOCK ? (int)(plan->count - at) : BLOCK;
}

void bitfront_forward(const neuron_plan *plan, const step_plan *steps, const void *x, void *y) {
    int64_t blocks = (plan->count + BLOCK - 1) / BLOCK;
#pragma omp parallel for schedule(static) num_threads(plan->threads) if (plan->count >= SERIAL_BELOW)
    for (int64_t block = 0; block < blocks; block++)
        forward_block(plan, steps, x, y, block * BLOCK, size_at(plan, block * BLOCK));
}

/* Writes dx and the gradients of `finish`. Returns 0, or 1 where memory is short. */
int bitfront_backward(const neuron_plan *plan, const step_plan *steps, const void *x, const void *g, void *dx,
                      float *found) {
    int64_t blocks = (plan->count + BLOCK - 1) / BLOCK;
    step_sums *sums = malloc((size_t)(blocks + 1) * (size_t)plan->steps * sizeof *sums);
    if (!sums) return 1;
#pragma omp parallel for schedule(static) num_threads(plan->threads) if (plan->count >= SERIAL_BELOW)
    for (int64_t block = 0; block < blocks; block++)
        backward_block(plan, steps, x, g, dx, block * BLOCK, size_at(plan, block * BLOCK), sums + block * plan->steps);
    finish(plan, steps, sums, blocks, found);
    free(sums);
    return 0;
}
