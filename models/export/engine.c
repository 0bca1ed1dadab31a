/* The passes of an integer network's layer beside its operation, over blocks that stay in the first-level cache.

       spikes      u_1 = x_1 - Z_1;  n_t = level(u_t);  u_(t+1) = leaked(u_t - V_t * n_t) + x_(t+1) - Z_(t+1)
       currents    sum_t M_t * a_t + b;  of frames M_t * a_t + b, with a_t = op(n_t, w)

   fixed_point.py has the levels. Every number is whole and below 2^53 (bounds.py), so double arithmetic is exact.
   Tensors are dense, channels innermost; steps and frames outermost. */

#include <math.h>
#include <stdint.h>

#define BLOCK 1024          /* elements: a few buffers of doubles fit in the first-level cache */
#define SMALL 0x1p49          /* V times levels below which a product finds the quotient */
#define LANES 8             /* channels whose currents are added up at once */
#define LEAK_BITS 30        /* as in nodes.py */
#define LEAK_SPLIT 20
#define SERIAL_BELOW 16384  /* elements: less work than waking threads costs */

enum kind { UNSIGNED, UNSIGNED_BINARY, SIGNED, SIGNED_BINARY };
enum type { BYTES, FLOATS, DOUBLES };

typedef struct {
    double threshold, high, shift;
    int32_t kind, unused;
} step_plan;

#define INLINE static inline __attribute__((always_inline))

/* floor(a / V) where it is below `high`, else `high` or more; a >= 0 in halves of a unit. Where V * high is small, a
   product with 1 / V will do, which takes a part of the time of a division: it is off by 2^-52 of itself at most, and
   (a + 1/4) / V lies at least 1 / (4V) from every whole number. */
INLINE double quotient(double a, double threshold, double inverse, int small) {
    return small ? (a + 0.25) * inverse : a / threshold;
}

INLINE double least(double a, double b) { return a < b ? a : b; }

INLINE double level_of(double u, double threshold, double inverse, double high, int kind, int small) {
    double above;
    switch (kind) {
    case UNSIGNED_BINARY: return u > 0.5 * threshold ? 1.0 : 0.0;
    case SIGNED_BINARY: return u > 0.0 ? 1.0 : -1.0;
    case SIGNED:
        return copysign(floor(least(quotient(fabs(u) + 0.5 * threshold, threshold, inverse, small), high)), u);
    default:
        above = least(quotient(u + 0.5 * threshold, threshold, inverse, small), high);
        return floor(above > 0.0 ? above : 0.0);
    }
}

/* A step of a block: u becomes u + x - V * n. */
INLINE void step_of(const double *x, double *u, void *spikes, int64_t at, int size, const step_plan *step, int first,
                    int type, int kind, int small) {
    const double threshold = step->threshold, inverse = 1.0 / threshold, high = step->high;
    for (int i = 0; i < size; i++) {
        const double potential = first ? x[i] : u[i] + x[i];
        const double level = level_of(potential, threshold, inverse, high, kind, small);
        u[i] = potential - threshold * level;
        if (type == BYTES) ((uint8_t *)spikes)[at + i] = (uint8_t)(int32_t)level;
        else if (type == FLOATS) ((float *)spikes)[at + i] = (float)level;
        else ((double *)spikes)[at + i] = level;
    }
}

/* One loop for each kind and type, so that each is free of branches. */
#define TYPED(kind, small)                                                               \
    switch (type) {                                                                      \
    case BYTES: step_of(x, u, spikes, at, size, step, first, BYTES, kind, small); break;   \
    case FLOATS: step_of(x, u, spikes, at, size, step, first, FLOATS, kind, small); break; \
    default: step_of(x, u, spikes, at, size, step, first, DOUBLES, kind, small); break;    \
    }

static void any_step(const double *restrict x, double *restrict u, void *restrict spikes, int64_t at, int size,
                     const step_plan *step, int first, int type) {
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

void bitfront_spikes(const double *x, void *spikes, int64_t count, int32_t steps, int32_t framed, int32_t type,
                     const step_plan *plan, int64_t leak, int32_t threads) {
    const int64_t blocks = (count + BLOCK - 1) / BLOCK;
    #pragma omp parallel for num_threads(threads) if (count * steps >= SERIAL_BELOW)
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t begin = block * BLOCK;
        const int size = (int)(count - begin < BLOCK ? count - begin : BLOCK);
        double u[BLOCK];
        for (int t = 0; t < steps; t++) {
            const int plain = plan[t].shift == 0.0 && leak == INT64_C(1) << LEAK_BITS;
            if (!plain) left_of(u, size, plan[t].shift, leak, t == 0);
            any_step(x + begin + (framed ? t * count : 0), u, spikes, t * count + begin, size, plan + t, plain && t == 0,
                     type);
        }
    }
}

INLINE double read(const void *sums, int64_t at, int doubles) {
    return doubles ? ((const double *)sums)[at] : (double)((const float *)sums)[at];
}

/* `width` channels of one pixel; `width` is known when this is compiled, so that `total` stays in a register. */
INLINE void channels_of(const void *sums, double *currents, const double *multiplier, const double *bias, int64_t at,
                        int64_t count, int channels, int steps, int framed, int doubles, int width) {
    double total[LANES];
    for (int i = 0; i < width; i++) total[i] = bias[i];
    for (int t = 0; t < steps; t++) {
        for (int i = 0; i < width; i++) total[i] += multiplier[t * channels + i] * read(sums, t * count + at + i, doubles);
        if (!framed) continue;
        for (int i = 0; i < width; i++) currents[t * count + at + i] = total[i];
        for (int i = 0; i < width; i++) total[i] = bias[i];
    }
    if (!framed) for (int i = 0; i < width; i++) currents[at + i] = total[i];
}

INLINE void pixel_of(const void *sums, double *currents, const double *multiplier, const double *bias, int64_t at,
                     int64_t count, int channels, int steps, int framed, int doubles) {
    int c = 0;
    for (; c + LANES <= channels; c += LANES)
        channels_of(sums, currents, multiplier + c, bias + c, at + c, count, channels, steps, framed, doubles, LANES);
    for (; c < channels; c++)
        channels_of(sums, currents, multiplier + c, bias + c, at + c, count, channels, steps, framed, doubles, 1);
}

void bitfront_currents(const void *sums, double *currents, int64_t pixels, int32_t channels, int32_t steps,
                       int32_t framed, int32_t doubles, const double *multipliers, const double *bias,
                       int32_t threads) {
    const int64_t count = pixels * channels;
    #pragma omp parallel for num_threads(threads) if (count * steps >= SERIAL_BELOW)
    for (int64_t pixel = 0; pixel < pixels; pixel++) {
        const int64_t at = pixel * channels;
        if (doubles) pixel_of(sums, currents, multipliers, bias, at, count, channels, steps, framed, 1);
        else pixel_of(sums, currents, multipliers, bias, at, count, channels, steps, framed, 0);
    }
}
