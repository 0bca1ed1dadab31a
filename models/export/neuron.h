/* The spikes of a block of currents, as engine.c and convolution.c make them.

       u_1 = x_1 - Z_1;  n_t = level(u_t);  u_(t+1) = leaked(u_t - V_t * n_t) + x_(t+1) - Z_(t+1)

   fixed_point.py has the levels. Every number is whole and below 2^53 (bounds.py), so double arithmetic is exact. */

#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __FMA__
#include <immintrin.h>
#endif

#define BLOCK 1024          /* elements: a few buffers of doubles fit in the first-level cache */
#define SMALL 0x1p49          /* V times levels below which a product finds the quotient */
#define LEAK_BITS 30        /* as in nodes.py */
#define LEAK_SPLIT 20

enum kind { UNSIGNED, UNSIGNED_BINARY, SIGNED, SIGNED_BINARY };
enum type { BYTES, FLOATS, DOUBLES };

typedef struct {
    double threshold, high, shift;
    int32_t kind, unused;
} step_plan;

/* a * b + c: exact where its terms are whole; rounded once or twice where they are not. */
#ifdef __FMA__
#define FUSED(a, b, c) __builtin_fma(a, b, c)
#else
#define FUSED(a, b, c) ((a) * (b) + (c))
#endif

#define INLINE static inline __attribute__((always_inline))

/* floor((2a + V) / (2V)) where it is below `high`, else `high` or more; a >= 0. Where V * high is small, a product with
   1 / V will do, which takes a part of the time of a division: it is off by 3 * 2^-53 of itself at most, and
   (a + V/2 + 1/4) / V lies at least 1 / (4V) from every whole number. The sums beside V are exact. */
INLINE double quotient(double a, double threshold, double inverse, int small) {
    return small ? FUSED(a, inverse, (0.5 * threshold + 0.25) * inverse) : (a + 0.5 * threshold) / threshold;
}

INLINE double least(double a, double b) { return a < b ? a : b; }

INLINE double level_of(double u, double threshold, double inverse, double high, int kind, int small) {
    double above;
    switch (kind) {
    case UNSIGNED_BINARY: return u > 0.5 * threshold ? 1.0 : 0.0;
    case SIGNED_BINARY: return u > 0.0 ? 1.0 : -1.0;
    case SIGNED: return copysign(floor(least(quotient(fabs(u), threshold, inverse, small), high)), u);
    default:
        above = least(quotient(u, threshold, inverse, small), high);
        return floor(above > 0.0 ? above : 0.0);
    }
}

/* A step of a block: u becomes u + x - V * n, unless nothing follows that reads it. */
INLINE void step_of(const double *x, double *u, void *spikes, int64_t at, int size, const step_plan *step, int first,
                    int last, int type, int kind, int small) {
    const double threshold = step->threshold, inverse = 1.0 / threshold, high = step->high;
    for (int i = 0; i < size; i++) {
        const double potential = first ? x[i] : u[i] + x[i];
        const double level = level_of(potential, threshold, inverse, high, kind, small);
        if (!last) u[i] = FUSED(-threshold, level, potential);
        if (type == BYTES) ((uint8_t *)spikes)[at + i] = (uint8_t)(int32_t)level;
        else if (type == FLOATS) ((float *)spikes)[at + i] = (float)level;
        else ((double *)spikes)[at + i] = level;
    }
}

/* One loop for each kind and type, so that each is free of branches. */
#define TYPED(kind, small)                                                               \
    switch (type) {                                                                      \
    case BYTES: step_of(x, u, spikes, at, size, step, first, last, BYTES, kind, small); break;   \
    case FLOATS: step_of(x, u, spikes, at, size, step, first, last, FLOATS, kind, small); break; \
    default: step_of(x, u, spikes, at, size, step, first, last, DOUBLES, kind, small); break;    \
    }

static void any_step(const double *restrict x, double *restrict u, void *restrict spikes, int64_t at, int size,
                     const step_plan *step, int first, int last, int type) {
    const int small = step->threshold * (step->high + 1.0) < SMALL;
    switch (step->kind) {
    case UNSIGNED: if (small) TYPED(UNSIGNED, 1) else TYPED(UNSIGNED, 0) break;
    case UNSIGNED_BINARY: TYPED(UNSIGNED_BINARY, 1) break;
    case SIGNED: if (small) TYPED(SIGNED, 1) else TYPED(SIGNED, 0) break;
    default: TYPED(SIGNED_BINARY, 1) break;
    }
}

/* fixed_point.py has the formula; right shifts round down, as compilers have them. */
INLINE double leaked(double rest, int64_t leak) {
    const int64_t whole = (int64_t)rest, low = whole & ((INT64_C(1) << LEAK_SPLIT) - 1);
    const int64_t carried = (low * leak + (INT64_C(1) << (LEAK_BITS - 1))) >> LEAK_SPLIT;
    return (double)(((whole >> LEAK_SPLIT) * leak + carried) >> (LEAK_BITS - LEAK_SPLIT));
}

/* What is left of a block's potentials before the current of a step comes in. */
static void left_of(double *restrict u, int size, double shift, int64_t leak, int first) {
    for (int i = 0; i < size; i++) {
        const double rest = first ? 0.0 : leak < INT64_C(1) << LEAK_BITS ? leaked(u[i], leak) : u[i];
        u[i] = rest - shift;
    }
}

/* The spikes of a block at every step; `framed` currents lie `framed` elements apart, others are the same. */
INLINE void spikes_of(const double *x, int64_t framed, void *spikes, int64_t begin, int64_t count, int size, int32_t steps,
                      int32_t type, const step_plan *plan, int64_t leak) {
    double u[BLOCK];
    for (int t = 0; t < steps; t++) {
        const int plain = plan[t].shift == 0.0 && leak == INT64_C(1) << LEAK_BITS;
        if (!plain) left_of(u, size, plan[t].shift, leak, t == 0);
        any_step(x + t * framed, u, spikes, t * count + begin, size, plan + t, plain && t == 0, t == steps - 1, type);
    }
}

/* Channels whose currents are made together: the doubles of a register. */
#ifdef __AVX512F__
#define LANES 8
#elif defined(__AVX__)
#define LANES 4
#else
#define LANES 2
#endif
typedef double lanes __attribute__((vector_size(8 * LANES)));

/* a * b + c, which are whole. */
INLINE lanes fused(lanes a, lanes b, lanes c) {
#if defined(__AVX512F__)
    return (lanes)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__FMA__)
    return (lanes)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
    return a * b + c;
#endif
}
